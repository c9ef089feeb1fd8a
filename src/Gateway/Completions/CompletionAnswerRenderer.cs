using System.Buffers;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Completions;

/// <summary>Collects an answer and renders it as one <c>text_completion</c>.</summary>
internal sealed class CompletionAnswerRenderer(CompletionJson head, CompletionChoice[] choices) : IAnswerRenderer
{
    private readonly AnswerUsage _usage = new();

    public bool IsStream => false;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output)
    {
        _usage.Add(started);
        foreach (var choice in choices[head.ChoicesOf(prompt)])
        {
            if (started.Echo is { } echo)
            {
                choice.Add(echo);
            }
        }
    }

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output) => choices[tokens.Choice].Add(tokens);

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        choices[finished.Choice].Finished = finished;
        _usage.Add(finished);
    }

    public void Completed(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, ApiJson.WriterOptions);
        head.WriteHead(json);
        json.WriteStartArray("choices"u8);
        for (var index = 0; index < choices.Length; index++)
        {
            choices[index].Write(json, index);
        }

        json.WriteEndArray();
        _usage.Write(json);
        json.WriteEndObject();
    }

    public void Failed(ApiError error, IBufferWriter<byte> output) => output.Write(error.ToJson());
}
