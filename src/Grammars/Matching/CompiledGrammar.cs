using System.Diagnostics;
using Serving.Grammars.Automata;
using Serving.Grammars.Matching;

namespace Serving.Grammars;

/// <summary>
/// A grammar over a model's tokens. Any number of matchers, on any threads, share one and what it has learned: the ways between configurations and the
/// masks of states are kept, so that in the steady state nothing is computed or allocated. The form is that of XGrammar (Dong et al., 2024): a
/// byte-level pushdown automaton with masks by state; Outlines (Willard and Louf, 2023) has the idea of masks by state for regular languages.
/// </summary>
public sealed class CompiledGrammar
{
    /// <summary>States with fewer bytes to come are cheap to walk from when they are met.</summary>
    private const int WideBytes = 16;

    private readonly GrammarProgram _program;
    private readonly MatchGraph _graph;
    private readonly TokenMasks _masks;

    // What may come first, where the first token of a text is not like every other.
    private TokenSet? _first;

    /// <summary>Links a grammar to a vocabulary. What takes longer, the masks, <see cref="Prepare"/> computes ahead, or matchers as they need them.</summary>
    /// <exception cref="GrammarException">The vocabulary cannot write any text of the grammar, or the grammar is too large.</exception>
    public CompiledGrammar(Grammar grammar, TokenVocabulary vocabulary)
    {
        foreach (var name in grammar.SpecialTokens)
        {
            if (!vocabulary.HasSpecial(name))
            {
                throw new GrammarException("", $"asks for the special token '{name}', which this model does not have.");
            }
        }

        Vocabulary = vocabulary;
        _program = GrammarProgram.Link(grammar.Rules, vocabulary.CanWrite);
        _graph = new MatchGraph(_program);
        _masks = new TokenMasks(_program, _graph, vocabulary);
    }

    public TokenVocabulary Vocabulary { get; }

    internal Configuration Root => _graph.Root;

    /// <summary>
    /// Finds the masks of the states from which most of the vocabulary has to be walked through, those first that texts come to first, for as long as that may take.
    /// </summary>
    public void Prepare(TimeSpan atMost)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var state = 0; state < _program.States.Length && Stopwatch.GetElapsedTime(begin) < atMost; state++)
        {
            if (_program.States[state].Bytes.Sum(edge => edge.Last - edge.First + 1) >= WideBytes)
            {
                _masks.Prepare(state);
            }
        }
    }

    internal Configuration Step(Configuration from, ReadOnlySpan<byte> text)
    {
        foreach (var value in text)
        {
            from = _graph.Step(from, value);
        }

        return from;
    }

    /// <summary>Adds the tokens that may come.</summary>
    internal void AddAllowed(Configuration configuration, bool isFirstToken, Span<ulong> mask)
    {
        if (HasOwnFirst(isFirstToken))
        {
            TryPrepareFirst(long.MaxValue);
            _first!.AddTo(mask);
        }
        else
        {
            _masks.AddTo(configuration, mask);
        }
    }

    /// <summary>Finds the masks of a place, unless that takes long.</summary>
    /// <param name="steps">How many nodes of the vocabulary's trie to look at.</param>
    /// <returns>Whether all are there.</returns>
    internal bool TryPrepare(Configuration configuration, bool isFirstToken, long steps) =>
        HasOwnFirst(isFirstToken) ? TryPrepareFirst(steps) : _masks.TryPrepare(configuration, ref steps);

    /// <summary>Finds one mask of a place, however long that takes.</summary>
    /// <returns>Whether all are there.</returns>
    internal bool PrepareNext(Configuration configuration, bool isFirstToken) =>
        HasOwnFirst(isFirstToken) ? TryPrepareFirst(long.MaxValue) : _masks.PrepareNext(configuration);

    private bool HasOwnFirst(bool isFirstToken) => isFirstToken && Vocabulary.LeadingTrie != Vocabulary.Trie;

    private bool TryPrepareFirst(long steps)
    {
        if (_first is not null)
        {
            return true;
        }

        var walk = new TrieWalk(_program, _graph, Vocabulary, Vocabulary.LeadingTrie, steps);
        _first = walk.Add(Root) ? walk.Accepted : null;
        return _first is not null;
    }
}
