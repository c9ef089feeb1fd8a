using System.Buffers;
using System.Text;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Renders an answer as one <c>chat.completion</c>.</summary>
/// <param name="choices">How many there are.</param>
/// <param name="hasLogprobs">The client wants log probabilities.</param>
internal sealed class ChatAnswerRenderer(ChatAnswerId id, int choices, bool hasLogprobs) : IAnswerRenderer
{
    private readonly Choice[] _choices = [.. Enumerable.Range(0, choices).Select(_ => new Choice(hasLogprobs ? [] : null))];
    private readonly AnswerUsage _usage = new();

    public bool IsStream => false;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output) => _usage.Add(started);

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output)
    {
        var choice = _choices[tokens.Choice];
        choice.Text.Append(tokens.Text);
        choice.Reasoning.Append(tokens.Reasoning);
        choice.Calls.Add(tokens.ToolCalls);
        choice.Logprobs?.AddRange(tokens.Logprobs);
    }

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        _choices[finished.Choice].Finished = finished;
        _usage.Add(finished);
    }

    public void Completed(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, ApiJson.WriterOptions);
        json.WriteStartObject();
        json.WriteId(id, "chat.completion");
        json.WriteStartArray("choices"u8);
        for (var index = 0; index < _choices.Length; index++)
        {
            Write(json, index, _choices[index]);
        }

        json.WriteEndArray();
        _usage.Write(json);
        json.WriteEndObject();
    }

    public void Failed(ApiError error, IBufferWriter<byte> output) => output.Write(error.ToJson());

    private static void Write(Utf8JsonWriter json, int index, Choice choice)
    {
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        if (choice.Text.Length == 0 && !choice.Calls.IsEmpty)
        {
            json.WriteNull("content"u8);
        }
        else
        {
            json.WriteString("content"u8, choice.Text.ToString());
        }

        json.WriteNull("refusal"u8);
        if (choice.Reasoning.Length > 0)
        {
            json.WriteString("reasoning_content"u8, choice.Reasoning.ToString());
        }

        choice.Calls.Write(json);
        json.WriteEndObject();
        json.WriteLogprobs(choice.Logprobs);
        json.WriteEnd(choice.Finished!);
        json.WriteEndObject();
    }

    private sealed class Choice(List<TokenLogprobs>? logprobs)
    {
        public StringBuilder Text { get; } = new();

        public StringBuilder Reasoning { get; } = new();

        public ToolCallCollector Calls { get; } = new();

        public List<TokenLogprobs>? Logprobs => logprobs;

        public CompletionFinished? Finished { get; set; }
    }
}
