using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>
/// Renders an answer as server-sent events, one <c>chat.completion.chunk</c> each. Everything but a token's text is the same in all
/// chunks of an answer, so it is rendered once.
/// </summary>
internal sealed class ChatStreamRenderer : IAnswerRenderer, IDisposable
{
    private readonly bool _includeUsage;
    private readonly int _choices;
    private readonly bool _hasLogprobs;
    private readonly byte[] _head;
    private readonly ArrayBufferWriter<byte> _members = new(256);
    private readonly Utf8JsonWriter _json;
    private readonly AnswerUsage _usage = new();

    /// <param name="includeUsage">A last chunk tells the usage; <c>usage</c> is null in the others.</param>
    /// <param name="choices">How many there are.</param>
    /// <param name="hasLogprobs">The client wants log probabilities.</param>
    public ChatStreamRenderer(ChatAnswerId id, bool includeUsage, int choices, bool hasLogprobs)
    {
        _includeUsage = includeUsage;
        _choices = choices;
        _hasLogprobs = hasLogprobs;
        _json = new Utf8JsonWriter(_members, ApiJson.WriterOptions);
        _head = Head(id);
    }

    public bool IsStream => true;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output)
    {
        _usage.Add(started);
        for (var choice = 0; choice < _choices; choice++)
        {
            WriteChunk(output, choice, "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null"u8);
        }
    }

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output)
    {
        var isOfText = tokens.Reasoning.Length == 0 && tokens.ToolCalls.Count == 0;
        if (isOfText && tokens.Text.Length == 0 && tokens.Logprobs.Count == 0)
        {
            return;
        }

        BeginMembers();
        _json.WriteStartObject("delta"u8);
        if (tokens.Reasoning.Length > 0)
        {
            _json.WriteString("reasoning_content"u8, tokens.Reasoning);
        }

        if (isOfText || tokens.Text.Length > 0)
        {
            _json.WriteString("content"u8, tokens.Text);
        }

        if (tokens.ToolCalls.Count > 0)
        {
            _json.WriteStartArray("tool_calls"u8);
            foreach (var call in tokens.ToolCalls)
            {
                WriteDelta(call);
            }

            _json.WriteEndArray();
        }

        _json.WriteEndObject();
        _json.WriteLogprobs(_hasLogprobs ? tokens.Logprobs : null);
        _json.WriteNull("finish_reason"u8);
        WriteChunk(output, tokens.Choice, EndMembers());
    }

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        _usage.Add(finished);
        BeginMembers();
        _json.WriteStartObject("delta"u8);
        _json.WriteEndObject();
        _json.WriteNull("logprobs"u8);
        _json.WriteEnd(finished);
        WriteChunk(output, finished.Choice, EndMembers());
    }

    public void Completed(IBufferWriter<byte> output)
    {
        if (_includeUsage)
        {
            output.Write(_head);
            output.Write(",\"choices\":[],"u8);
            BeginMembers();
            _usage.Write(_json);
            output.Write(EndMembers());
            output.Write("}\n\n"u8);
        }

        output.Write("data: [DONE]\n\n"u8);
    }

    /// <summary>No <c>[DONE]</c> follows, so that a truncated answer never looks complete.</summary>
    public void Failed(ApiError error, IBufferWriter<byte> output)
    {
        output.Write("data: "u8);
        output.Write(error.ToJson());
        output.Write("\n\n"u8);
    }

    public void Dispose() => _json.Dispose();

    /// <summary>A call's first delta has its id and name, the others only pieces of the arguments.</summary>
    private void WriteDelta(ToolCallDelta call)
    {
        _json.WriteStartObject();
        _json.WriteNumber("index"u8, call.Index);
        if (call.Id.Length > 0)
        {
            _json.WriteString("id"u8, call.Id);
            _json.WriteString("type"u8, "function"u8);
        }

        _json.WriteStartObject("function"u8);
        if (call.Name.Length > 0)
        {
            _json.WriteString("name"u8, call.Name);
        }

        _json.WriteString("arguments"u8, call.Arguments);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    private static byte[] Head(ChatAnswerId id)
    {
        var head = new ArrayBufferWriter<byte>(256);
        head.Write("data: "u8);
        using var json = new Utf8JsonWriter(head, ApiJson.WriterOptions);
        json.WriteStartObject();
        json.WriteId(id, "chat.completion.chunk");
        json.Flush();
        return head.WrittenSpan.ToArray();
    }

    private void WriteChunk(IBufferWriter<byte> output, int choice, ReadOnlySpan<byte> members)
    {
        output.Write(_head);
        output.Write(",\"choices\":[{\"index\":"u8);
        Utf8Formatter.TryFormat(choice, output.GetSpan(16), out var digits);
        output.Advance(digits);
        output.Write(","u8);
        output.Write(members);
        output.Write(_includeUsage ? "}],\"usage\":null}\n\n"u8 : "}]}\n\n"u8);
    }

    private void BeginMembers()
    {
        _members.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
    }

    /// <summary>What was written since, without the brace before it.</summary>
    private ReadOnlySpan<byte> EndMembers()
    {
        _json.Flush();
        return _members.WrittenSpan[1..];
    }
}
