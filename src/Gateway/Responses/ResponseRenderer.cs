using System.Buffers;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>Collects an answer and renders it as one <c>response</c>.</summary>
internal sealed class ResponseRenderer(ResponseJson response) : IAnswerRenderer
{
    private readonly AnswerBlocks _blocks = new();
    private readonly AnswerUsage _usage = new();
    private CompletionFinished? _finished;

    public bool IsStream => false;

    /// <summary>The response's status, once the answer has ended.</summary>
    public string Status => ResponseJson.StatusOf(_finished!);

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output) => _usage.Add(started);

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output) => _blocks.Take(tokens);

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        _finished = finished;
        _usage.Add(finished);
        _blocks.Finish(needsText: true);
    }

    public void Completed(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, ApiJson.WriterOptions);
        response.Write(json, _blocks, _usage, _finished!);
    }

    public void Failed(ApiError error, IBufferWriter<byte> output) => output.Write(error.ToJson());
}
