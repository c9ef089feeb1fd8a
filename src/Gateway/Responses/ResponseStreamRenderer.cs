using System.Buffers;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Chat;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>Renders an answer as the events of <c>/v1/responses</c>, numbered from 0.</summary>
internal sealed class ResponseStreamRenderer(ResponseJson response) : IAnswerRenderer
{
    private readonly AnswerBlocks _blocks = new();
    private readonly AnswerUsage _usage = new();
    private CompletionFinished? _finished;
    private int _events;

    public bool IsStream => true;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output)
    {
        _usage.Add(started);
        foreach (var name in (ReadOnlySpan<string>)["response.created", "response.in_progress"])
        {
            Write(output, name, json =>
            {
                json.WritePropertyName("response"u8);
                response.Write(json, "in_progress");
            });
        }
    }

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output)
    {
        foreach (var change in _blocks.Add(tokens))
        {
            Write(change, output);
        }
    }

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        _finished = finished;
        _usage.Add(finished);
        foreach (var change in _blocks.End(needsText: true))
        {
            Write(change, output);
        }
    }

    public void Completed(IBufferWriter<byte> output) => Write(output, $"response.{ResponseJson.StatusOf(_finished!)}", json =>
    {
        json.WritePropertyName("response"u8);
        response.Write(json, _blocks, _usage, _finished!);
    });

    public void Failed(ApiError error, IBufferWriter<byte> output) => Write(output, "response.failed", json =>
    {
        json.WritePropertyName("response"u8);
        response.Write(json, "failed", error);
    });

    private void Write(in BlockChange change, IBufferWriter<byte> output)
    {
        switch (change.Kind)
        {
            case BlockChangeKind.Begin:
                Begin(change.Block, output);
                break;
            case BlockChangeKind.Grow:
                Grow(change, output);
                break;
            default:
                End(change.Block, output);
                break;
        }
    }

    private void Begin(AnswerBlock block, IBufferWriter<byte> output)
    {
        WriteItem(output, "response.output_item.added", block, "in_progress", isWhole: false);
        if (block.Kind != AnswerBlockKind.Call)
        {
            WritePart(output, "response.content_part.added", block, isWhole: false);
        }
    }

    private void Grow(BlockChange change, IBufferWriter<byte> output) => WriteOf(output, $"{NameOf(change.Block)}.delta", change.Block, json =>
    {
        json.WriteString("delta"u8, change.Text);
        if (change.Block.Kind == AnswerBlockKind.Text)
        {
            json.WriteTokens("logprobs", change.Logprobs);
        }
    });

    private void End(AnswerBlock block, IBufferWriter<byte> output)
    {
        WriteOf(output, $"{NameOf(block)}.done", block, json =>
        {
            if (block.Kind == AnswerBlockKind.Call)
            {
                json.WriteString("name"u8, block.CallName);
                json.WriteString("arguments"u8, block.Text.ToString());
                return;
            }

            json.WriteString("text"u8, block.Text.ToString());
            if (block.Kind == AnswerBlockKind.Text)
            {
                json.WriteTokens("logprobs", block.Logprobs);
            }
        });
        if (block.Kind != AnswerBlockKind.Call)
        {
            WritePart(output, "response.content_part.done", block, isWhole: true);
        }

        // Only what the answer ends with can have been cut off.
        WriteItem(output, "response.output_item.done", block, _finished is null ? "completed" : ResponseJson.StatusOf(_finished), isWhole: true);
    }

    private static string NameOf(AnswerBlock block) => block.Kind switch
    {
        AnswerBlockKind.Text => "response.output_text",
        AnswerBlockKind.Reasoning => "response.reasoning_text",
        _ => "response.function_call_arguments",
    };

    private void WriteItem(IBufferWriter<byte> output, string name, AnswerBlock block, string status, bool isWhole) => Write(output, name, json =>
    {
        json.WriteNumber("output_index"u8, block.Index);
        json.WritePropertyName("item"u8);
        response.WriteItem(json, block, status, isWhole);
    });

    private void WritePart(IBufferWriter<byte> output, string name, AnswerBlock block, bool isWhole) => WriteOf(output, name, block, json =>
    {
        json.WritePropertyName("part"u8);
        ResponseJson.WritePart(json, block, isWhole);
    });

    /// <summary>Writes an event of what is inside of an item.</summary>
    private void WriteOf(IBufferWriter<byte> output, string name, AnswerBlock block, Action<Utf8JsonWriter> writeMembers) => Write(output, name, json =>
    {
        json.WriteString("item_id"u8, response.Id.Of(block));
        json.WriteNumber("output_index"u8, block.Index);
        if (block.Kind != AnswerBlockKind.Call)
        {
            json.WriteNumber("content_index"u8, 0);
        }

        writeMembers(json);
    });

    private void Write(IBufferWriter<byte> output, string name, Action<Utf8JsonWriter> writeMembers) => ServerSentEvents.Write(output, name, json =>
    {
        json.WriteNumber("sequence_number"u8, _events++);
        writeMembers(json);
    });
}
