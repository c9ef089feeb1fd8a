using Serving.Grammars;

namespace Serving.Engine.Sampling;

/// <summary>
/// What an answer is held to. Its grammar may still be compiled while the prompt is computed, and masks of places that no answer has come to may take long: no token
/// is sampled before they are there, and nobody waits for them. The engine's thread uses it.
/// </summary>
/// <param name="endTokens">Tokens that end the answer.</param>
/// <param name="masks">Where masks are computed that take long.</param>
public sealed class AnswerConstraint(Task<CompiledGrammar> grammar, ReadOnlyMemory<int> endTokens, MaskQueue masks)
{
    private GrammarMatcher? _matcher;
    private Task? _pending;
    private volatile bool _isGivenUp;

    /// <summary>
    /// Whether the next token can be sampled: the grammar and the masks of the place are there. They are asked for if they are not. A grammar that could not be compiled never is,
    /// and its sequence waits to be cancelled.
    /// </summary>
    public bool IsReady
    {
        get
        {
            if (!grammar.IsCompletedSuccessfully || _pending is { IsCompleted: false })
            {
                return false;
            }

            _pending?.GetAwaiter().GetResult();
            _pending = null;
            if (Matcher.TryPrepare())
            {
                return true;
            }

            _pending = masks.ComputeAsync(Matcher.MasksToCome(), this);
            return false;
        }
    }

    /// <summary>Where the answer is in its grammar; only once that is compiled.</summary>
    public GrammarMatcher Matcher => _matcher ??= new GrammarMatcher(grammar.Result, endTokens);

    /// <summary>Whether its answer has ended, so that nobody needs its masks any more.</summary>
    internal bool IsGivenUp => _isGivenUp;

    /// <summary>Says that the answer has ended.</summary>
    internal void GiveUp() => _isGivenUp = true;
}
