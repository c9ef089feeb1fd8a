using Serving.Grammars;

namespace Serving.Engine.Sampling;

/// <summary>
/// What an answer is held to. Its grammar may still be compiled while the prompt is computed: no token is sampled before it is there. The engine's thread
/// uses it.
/// </summary>
/// <param name="endTokens">Tokens that end the answer.</param>
public sealed class AnswerConstraint(Task<CompiledGrammar> grammar, ReadOnlyMemory<int> endTokens)
{
    private GrammarMatcher? _matcher;

    /// <summary>Whether the grammar is there. One that could not be compiled never is, and its sequence waits to be cancelled.</summary>
    public bool IsReady => grammar.IsCompletedSuccessfully;

    /// <summary>Where the answer is in its grammar; only once <see cref="IsReady"/>.</summary>
    public GrammarMatcher Matcher => _matcher ??= new GrammarMatcher(grammar.Result, endTokens);
}
