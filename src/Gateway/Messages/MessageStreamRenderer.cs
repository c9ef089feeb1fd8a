using System.Buffers;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Messages;

/// <summary>Renders an answer as Anthropic's events.</summary>
internal sealed class MessageStreamRenderer(AnswerStamp stamp) : IAnswerRenderer
{
    private readonly AnswerBlocks _blocks = new();
    private readonly AnswerUsage _usage = new();
    private CompletionFinished? _finished;

    public bool IsStream => true;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output)
    {
        _usage.Add(started);
        ServerSentEvents.Write(output, "message_start", json =>
        {
            json.WriteStartObject("message"u8);
            json.WriteHead(MessageJson.NewId(), stamp);
            json.WriteStartArray("content"u8);
            json.WriteEndArray();
            json.WriteStop(null);
            json.WriteMessageUsage(_usage);
            json.WriteEndObject();
        });
        ServerSentEvents.Write(output, "ping", static _ => { });
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
        foreach (var change in _blocks.End(needsText: false))
        {
            Write(change, output);
        }
    }

    public void Completed(IBufferWriter<byte> output)
    {
        ServerSentEvents.Write(output, "message_delta", json =>
        {
            json.WriteStartObject("delta"u8);
            json.WriteStop(_finished);
            json.WriteEndObject();
            json.WriteMessageUsage(_usage);
        });
        ServerSentEvents.Write(output, "message_stop", static _ => { });
    }

    /// <summary>No <c>message_stop</c> follows, so that a truncated answer never looks complete.</summary>
    public void Failed(ApiError error, IBufferWriter<byte> output)
    {
        output.Write("event: error\ndata: "u8);
        output.Write(AnthropicError.ToJson(error, stamp.RequestId));
        output.Write("\n\n"u8);
    }

    private static void Write(in BlockChange change, IBufferWriter<byte> output)
    {
        var (kind, block, text, _) = change;
        switch (kind)
        {
            case BlockChangeKind.Begin:
                ServerSentEvents.Write(output, "content_block_start", json =>
                {
                    json.WriteNumber("index"u8, block.Index);
                    json.WritePropertyName("content_block"u8);
                    json.WriteBlock(block, isWhole: false);
                });
                break;
            case BlockChangeKind.Grow:
                ServerSentEvents.Write(output, "content_block_delta", json =>
                {
                    json.WriteNumber("index"u8, block.Index);
                    json.WriteStartObject("delta"u8);
                    WriteDelta(json, block.Kind, text);
                    json.WriteEndObject();
                });
                break;
            default:
                ServerSentEvents.Write(output, "content_block_stop", json => json.WriteNumber("index"u8, block.Index));
                break;
        }
    }

    private static void WriteDelta(Utf8JsonWriter json, AnswerBlockKind kind, string text)
    {
        switch (kind)
        {
            case AnswerBlockKind.Text:
                json.WriteString("type"u8, "text_delta"u8);
                json.WriteString("text"u8, text);
                break;
            case AnswerBlockKind.Reasoning:
                json.WriteString("type"u8, "thinking_delta"u8);
                json.WriteString("thinking"u8, text);
                break;
            default:
                json.WriteString("type"u8, "input_json_delta"u8);
                json.WriteString("partial_json"u8, text);
                break;
        }
    }
}
