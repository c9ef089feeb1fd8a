using Google.Protobuf.Collections;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Generation;

/// <summary>What happens to a block.</summary>
internal enum BlockChangeKind
{
    Begin,
    Grow,
    End,
}

/// <summary>One change of an answer's blocks.</summary>
/// <param name="Text">With <see cref="BlockChangeKind.Grow"/>: what is new.</param>
/// <param name="Logprobs">With <see cref="BlockChangeKind.Grow"/>: those of the tokens that are new.</param>
internal readonly record struct BlockChange(BlockChangeKind Kind, AnswerBlock Block, string Text, IReadOnlyList<TokenLogprobs> Logprobs);

/// <summary>Cuts an answer into blocks: for APIs whose answers are lists of parts, one after the other, each of one kind.</summary>
internal sealed class AnswerBlocks
{
    private readonly List<AnswerBlock> _all = [];
    private int _call = -1;
    private AnswerBlock? _open;

    public IReadOnlyList<AnswerBlock> All => _all;

    /// <summary>Takes more of the answer, and tells in order what that changes.</summary>
    public IEnumerable<BlockChange> Add(TokenChunk tokens)
    {
        if (tokens.Reasoning.Length > 0)
        {
            foreach (var change in Grow(AnswerBlockKind.Reasoning, tokens.Reasoning))
            {
                yield return change;
            }
        }

        if (tokens.Text.Length > 0 || tokens.Logprobs.Count > 0)
        {
            foreach (var change in Grow(AnswerBlockKind.Text, tokens.Text, tokens.Logprobs))
            {
                yield return change;
            }
        }

        foreach (var call in tokens.ToolCalls)
        {
            foreach (var change in Grow(AnswerBlockKind.Call, call.Arguments, call: call))
            {
                yield return change;
            }
        }
    }

    /// <summary>Takes more of the answer, for who looks at it only once it is whole.</summary>
    public void Take(TokenChunk tokens)
    {
        foreach (var _ in Add(tokens))
        {
            // Only what has come of it counts.
        }
    }

    /// <summary>Ends the answer for him.</summary>
    /// <param name="needsText">An answer that is neither text nor call gets an empty text.</param>
    public void Finish(bool needsText)
    {
        foreach (var _ in End(needsText))
        {
            // As above.
        }
    }

    /// <summary>Ends the answer.</summary>
    /// <param name="needsText">An answer that is neither text nor call gets an empty text.</param>
    public IEnumerable<BlockChange> End(bool needsText)
    {
        if (needsText && !_all.Exists(block => block.Kind is AnswerBlockKind.Text or AnswerBlockKind.Call))
        {
            foreach (var change in Begin(AnswerBlockKind.Text, call: null))
            {
                yield return change;
            }
        }

        foreach (var change in End())
        {
            yield return change;
        }
    }

    private IEnumerable<BlockChange> End()
    {
        if (_open is { } block)
        {
            _open = null;
            yield return new BlockChange(BlockChangeKind.End, block, "", []);
        }
    }

    private IEnumerable<BlockChange> Grow(AnswerBlockKind kind, string text, RepeatedField<TokenLogprobs>? logprobs = null, ToolCallDelta? call = null)
    {
        if (_open?.Kind != kind || (call is not null && call.Index != _call))
        {
            // Log probabilities alone, of tokens that are markup of something else, are no text.
            if (text.Length == 0 && call is null)
            {
                yield break;
            }

            foreach (var change in Begin(kind, call))
            {
                yield return change;
            }
        }

        if (text.Length > 0 || logprobs?.Count > 0)
        {
            _open!.Text.Append(text);
            _open.Logprobs.AddRange(logprobs ?? []);
            yield return new BlockChange(BlockChangeKind.Grow, _open, text, logprobs ?? []);
        }
    }

    private IEnumerable<BlockChange> Begin(AnswerBlockKind kind, ToolCallDelta? call)
    {
        foreach (var end in End())
        {
            yield return end;
        }

        _call = call?.Index ?? _call;
        _open = new AnswerBlock(kind, _all.Count, call);
        _all.Add(_open);
        yield return new BlockChange(BlockChangeKind.Begin, _open, "", []);
    }
}
