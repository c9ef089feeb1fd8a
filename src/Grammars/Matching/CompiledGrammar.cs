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
    private const int WideBytes = 64;

    private readonly GrammarProgram _program;
    private readonly MatchGraph _graph;
    private readonly TokenMasks _masks;
    private TokenSet? _leading;

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

    /// <summary>Computes the masks of the states from which most of the vocabulary has to be walked, for as long as that is allowed to take.</summary>
    public void Prepare(TimeSpan atMost)
    {
        var begin = Stopwatch.GetTimestamp();
        var far = Vocabulary.Trie.DepthMax + 1;
        for (var state = 0; state < _program.States.Length; state++)
        {
            if (_program.States[state].Bytes.Sum(edge => edge.Last - edge.First + 1) < WideBytes)
            {
                continue;
            }

            var rule = _program.Rules[_program.States[state].Rule];
            var counts = rule.IsCounted ? Math.Min(rule.CountMax, far) : 0;
            for (var count = 0; count <= counts; count++)
            {
                if (Stopwatch.GetElapsedTime(begin) > atMost)
                {
                    return;
                }

                // What is asked for first is the beginning of a repetition, then its end.
                var left = !rule.IsCounted ? 0 : rule.CountMax == RuleAutomaton.Unlimited ? RuleAutomaton.Unlimited : rule.CountMax - count;
                _masks.Prepare(state, rule.IsCounted ? Math.Max(0, rule.CountMin - count) : 0, left);
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
        if (isFirstToken && Vocabulary.LeadingTrie != Vocabulary.Trie)
        {
            (_leading ??= _masks.Walk(configuration, Vocabulary.LeadingTrie)).AddTo(mask);
        }
        else
        {
            _masks.AddTo(configuration, mask);
        }
    }
}
