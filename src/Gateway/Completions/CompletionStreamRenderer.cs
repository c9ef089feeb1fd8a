using System.Buffers;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Completions;

/// <summary>Renders an answer as server-sent events, one <c>text_completion</c> each, with what is new of a choice.</summary>
/// <param name="includeUsage">A last chunk tells the usage; <c>usage</c> is null in the others.</param>
internal sealed class CompletionStreamRenderer(CompletionJson head, CompletionChoice[] choices, bool includeUsage) : IAnswerRenderer
{
    private readonly AnswerUsage _usage = new();

    public bool IsStream => true;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output)
    {
        _usage.Add(started);
        var (first, count) = head.ChoicesOf(prompt).GetOffsetAndLength(choices.Length);
        for (var choice = first; choice < first + count && started.Echo is not null; choice++)
        {
            choices[choice].Add(started.Echo);
            Write(choice, output);
        }
    }

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output)
    {
        choices[tokens.Choice].Add(tokens);
        if (!choices[tokens.Choice].IsEmpty)
        {
            Write(tokens.Choice, output);
        }
    }

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        choices[finished.Choice].Finished = finished;
        _usage.Add(finished);
        Write(finished.Choice, output);
    }

    public void Completed(IBufferWriter<byte> output)
    {
        if (includeUsage)
        {
            WriteChunk(output, json =>
            {
                json.WriteEndArray();
                _usage.Write(json);
            });
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

    private void Write(int choice, IBufferWriter<byte> output) => WriteChunk(output, json =>
    {
        choices[choice].Write(json, choice);
        json.WriteEndArray();
        if (includeUsage)
        {
            json.WriteNull("usage"u8);
        }
    });

    /// <param name="writeRest">Begins inside of <c>choices</c>.</param>
    private void WriteChunk(IBufferWriter<byte> output, Action<Utf8JsonWriter> writeRest)
    {
        output.Write("data: "u8);
        using (var json = new Utf8JsonWriter(output, ApiJson.WriterOptions))
        {
            head.WriteHead(json);
            json.WriteStartArray("choices"u8);
            writeRest(json);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }
}
