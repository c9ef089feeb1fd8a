using Serving.Grammars.Matching;

namespace Serving.Grammars;

/// <summary>The masks of a place in a grammar that nobody has needed yet. Any thread may compute them, while others use the grammar and its matchers.</summary>
public sealed class PendingMasks
{
    private readonly CompiledGrammar _grammar;
    private readonly Configuration _place;
    private readonly bool _isFirstToken;

    internal PendingMasks(CompiledGrammar grammar, Configuration place, bool isFirstToken)
    {
        _grammar = grammar;
        _place = place;
        _isFirstToken = isFirstToken;
    }

    /// <summary>Computes one of them: fractions of a millisecond, much longer only for grammars that are very ambiguous.</summary>
    /// <returns>Whether all are there.</returns>
    public bool ComputeNext() => _grammar.PrepareNext(_place, _isFirstToken);
}
