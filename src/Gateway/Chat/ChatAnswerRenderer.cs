using System.Buffers;
using System.Text;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>Renders an answer as one <c>chat.completion</c>.</summary>
internal sealed class ChatAnswerRenderer(ChatAnswerId id) : IAnswerRenderer
{
    private readonly StringBuilder _text = new();
    private CompletionStarted? _started;

    public bool IsStream => false;

    public void Started(CompletionStarted started, IBufferWriter<byte> output) => _started = started;

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output) => _text.Append(tokens.Text);

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, ChatJson.WriterOptions);
        json.WriteStartObject();
        json.WriteId(id, "chat.completion");
        json.WriteStartArray("choices"u8);
        json.WriteStartObject();
        json.WriteNumber("index"u8, 0);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, _text.ToString());
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, ChatJson.Name(finished.Reason));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteUsage(_started!, finished);
        json.WriteEndObject();
    }

    public void Failed(ApiError error, IBufferWriter<byte> output) => output.Write(error.ToJson());
}
