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

    /// <summary>Ends the answer.</summary>
    public IEnumerable<BlockChange> End()
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

            foreach (var end in End())
            {
                yield return end;
            }

            _call = call?.Index ?? _call;
            _open = new AnswerBlock(kind, _all.Count, call);
            _all.Add(_open);
            yield return new BlockChange(BlockChangeKind.Begin, _open, "", []);
        }

        if (text.Length > 0 || logprobs?.Count > 0)
        {
            _open.Text.Append(text);
            _open.Logprobs.AddRange(logprobs ?? []);
            yield return new BlockChange(BlockChangeKind.Grow, _open, text, logprobs ?? []);
        }
    }
}
