using System.Buffers;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>
/// Renders an answer as server-sent events, one <c>chat.completion.chunk</c> each. Everything but a token's text is the same in all
/// chunks of an answer, so it is rendered once.
/// </summary>
internal sealed class ChatStreamRenderer : IAnswerRenderer, IDisposable
{
    private readonly bool _includeUsage;
    private readonly byte[] _head;
    private readonly ArrayBufferWriter<byte> _text = new(256);
    private readonly Utf8JsonWriter _json;
    private CompletionStarted? _started;

    /// <param name="includeUsage">A last chunk tells the usage; <c>usage</c> is null in the others.</param>
    public ChatStreamRenderer(ChatAnswerId id, bool includeUsage)
    {
        _includeUsage = includeUsage;
        _json = new Utf8JsonWriter(_text, ChatJson.WriterOptions);
        _head = Head(id);
    }

    public bool IsStream => true;

    public void Started(CompletionStarted started, IBufferWriter<byte> output)
    {
        _started = started;
        WriteChunk(output, "{\"role\":\"assistant\",\"content\":\"\"}"u8, "null"u8);
    }

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output)
    {
        if (tokens.Text.Length == 0)
        {
            return;
        }

        _text.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("content"u8, tokens.Text);
        _json.WriteEndObject();
        _json.Flush();
        WriteChunk(output, _text.WrittenSpan, "null"u8);
    }

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        _text.ResetWrittenCount();
        _text.Write("\""u8);
        _text.Write(ChatJson.Name(finished.Reason));
        _text.Write("\""u8);
        WriteChunk(output, "{}"u8, _text.WrittenSpan);
        if (_includeUsage)
        {
            WriteUsageChunk(finished, output);
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

    private static byte[] Head(ChatAnswerId id)
    {
        var head = new ArrayBufferWriter<byte>(256);
        head.Write("data: "u8);
        using var json = new Utf8JsonWriter(head, ChatJson.WriterOptions);
        json.WriteStartObject();
        json.WriteId(id, "chat.completion.chunk");
        json.Flush();
        return head.WrittenSpan.ToArray();
    }

    private void WriteChunk(IBufferWriter<byte> output, ReadOnlySpan<byte> delta, ReadOnlySpan<byte> finishReason)
    {
        output.Write(_head);
        output.Write(",\"choices\":[{\"index\":0,\"delta\":"u8);
        output.Write(delta);
        output.Write(",\"logprobs\":null,\"finish_reason\":"u8);
        output.Write(finishReason);
        output.Write(_includeUsage ? "}],\"usage\":null}\n\n"u8 : "}]}\n\n"u8);
    }

    private void WriteUsageChunk(CompletionFinished finished, IBufferWriter<byte> output)
    {
        output.Write(_head);
        output.Write(",\"choices\":[],"u8);
        _text.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteUsage(_started!, finished);
        _json.WriteEndObject();
        _json.Flush();
        output.Write(_text.WrittenSpan[1..]);
        output.Write("\n\n"u8);
    }
}
