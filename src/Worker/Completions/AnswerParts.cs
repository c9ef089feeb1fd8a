using System.Collections.Frozen;
using Serving.Contracts.Internal;
using Serving.Text.ToolCalls;
using Serving.Worker.Models;

namespace Serving.Worker.Completions;

/// <summary>Turns an answer's tokens into what events have: text, reasoning and tool calls.</summary>
/// <param name="text">The answer as text; stop sequences are looked for in all of it, markup too.</param>
/// <param name="parser">Null: the text is the answer.</param>
internal sealed class AnswerParts(AnswerText text, AnswerFormat format, AnswerParser? parser)
{
    private readonly List<AnswerDelta> _deltas = [];

    /// <summary>The stop sequence that has been met.</summary>
    public string? StopSequence => text.StopSequence;

    /// <summary>Whether the answer is to end here, whatever the model would say.</summary>
    public bool IsOver => StopSequence is not null || parser?.IsComplete == true;

    public bool HasCalls => parser?.Calls > 0;

    /// <summary>Whether the model is thinking at the moment.</summary>
    public bool IsReasoning => parser?.IsReasoning == true;

    /// <summary>Tokens that the model wrote for itself.</summary>
    public int ReasoningTokens { get; private set; }

    /// <inheritdoc cref="AnswerText.SentTokens"/>
    public int SentTokens => text.SentTokens;

    /// <summary>What an answer to this request may have. Only chats have more than text: a prompt without a template promises no form.</summary>
    public static AnswerParts Of(ModelRuntime model, CompletionRequest request, bool startsInReasoning)
    {
        AnswerText text = new(model.Tokenizer, request.Stop.Sequences, request.Stop.MinTokens);
        AnswerParser? parser = request.PromptCase != CompletionRequest.PromptOneofCase.Chat ? null : model.AnswerFormat.CreateParser(new AnswerParserOptions
        {
            Functions = request.Tools?.Functions.ToFrozenSet() ?? FrozenSet<string>.Empty,
            SingleCall = request.Tools?.SingleCall ?? false,
            StartsInReasoning = startsInReasoning,
        });
        return new AnswerParts(text, model.AnswerFormat, parser);
    }

    /// <summary>Adds to the chunk what is certain after one more token.</summary>
    public void Append(int token, TokenChunk chunk)
    {
        if (parser is null)
        {
            chunk.Text = text.Append(token);
            return;
        }

        if (format.FindMarker(token) is not { } marker)
        {
            parser.Append(text.Append(token), _deltas);
        }
        else
        {
            parser.Append(text.AppendBorder(), _deltas);
            if (StopSequence is null)
            {
                parser.AppendMarker(marker, _deltas);
            }
        }

        ReasoningTokens += IsReasoning ? 1 : 0;
        Write(chunk);
    }

    /// <summary>Adds what was held back.</summary>
    public void Finish(TokenChunk chunk)
    {
        string rest = text.Finish();
        if (parser is null)
        {
            chunk.Text = rest;
            return;
        }

        parser.Append(rest, _deltas);
        parser.Finish(_deltas);
        Write(chunk);
    }

    /// <summary>Whether a chunk has anything of the answer.</summary>
    public static bool IsAnyIn(TokenChunk chunk) => chunk.Text.Length > 0 || chunk.Reasoning.Length > 0 || chunk.ToolCalls.Count > 0;

    private void Write(TokenChunk chunk)
    {
        foreach (AnswerDelta delta in _deltas)
        {
            switch (delta.Kind)
            {
                case AnswerDeltaKind.Content:
                    chunk.Text += delta.Text;
                    break;
                case AnswerDeltaKind.Reasoning:
                    chunk.Reasoning += delta.Text;
                    break;
                case AnswerDeltaKind.CallName:
                    chunk.ToolCalls.Add(new ToolCallDelta { Index = delta.Call, Id = format.NewCallId(), Name = delta.Text });
                    break;
                default:
                    CallIn(chunk, delta.Call).Arguments += delta.Text;
                    break;
            }
        }

        _deltas.Clear();
    }

    private static ToolCallDelta CallIn(TokenChunk chunk, int call)
    {
        if (chunk.ToolCalls.Count == 0 || chunk.ToolCalls[^1].Index != call)
        {
            chunk.ToolCalls.Add(new ToolCallDelta { Index = call });
        }

        return chunk.ToolCalls[^1];
    }
}
