using System.Buffers;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Messages;

/// <summary>Collects an answer and renders it as one <c>message</c>.</summary>
internal sealed class MessageRenderer(AnswerStamp stamp) : IAnswerRenderer
{
    private readonly AnswerBlocks _blocks = new();
    private readonly AnswerUsage _usage = new();
    private CompletionFinished? _finished;

    public bool IsStream => false;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output) => _usage.Add(started);

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output) => _blocks.Take(tokens);

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        _finished = finished;
        _usage.Add(finished);
    }

    public void Completed(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, ApiJson.WriterOptions);
        json.WriteStartObject();
        json.WriteHead(MessageJson.NewId(), stamp);
        json.WriteStartArray("content"u8);
        foreach (var block in _blocks.All)
        {
            json.WriteBlock(block, isWhole: true);
        }

        json.WriteEndArray();
        json.WriteStop(_finished);
        json.WriteMessageUsage(_usage);
        json.WriteEndObject();
    }

    public void Failed(ApiError error, IBufferWriter<byte> output) => output.Write(AnthropicError.ToJson(error, stamp.RequestId));
}
