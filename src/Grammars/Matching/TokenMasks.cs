using System.Collections.Concurrent;
using Serving.Grammars.Automata;

namespace Serving.Grammars.Matching;

/// <summary>
/// Which tokens may come at a place. As in XGrammar (Dong et al., 2024), what a state of a rule says of a token by itself is computed once and kept;
/// only tokens that go beyond the end of the rule are looked at again, for each stack on which it lies.
/// </summary>
internal sealed class TokenMasks
{
    /// <summary>Places that one walk through the vocabulary may follow: an ambiguous grammar gets no further, and so less than it allows.</summary>
    private const long WorkMax = 20_000_000;

    private readonly GrammarProgram _program;
    private readonly MatchGraph _graph;
    private readonly TokenVocabulary _vocabulary;
    private readonly Configuration[] _path;
    private readonly bool[] _hasEscaped;
    private readonly ulong[] _accepted;
    private readonly List<int> _dependents = [];
    private readonly ConcurrentDictionary<(int State, int Needed, int Left), LocalMask>[] _locals;

    public TokenMasks(GrammarProgram program, MatchGraph graph, TokenVocabulary vocabulary)
    {
        _program = program;
        _graph = graph;
        _vocabulary = vocabulary;
        var depthMax = Math.Max(vocabulary.Trie.DepthMax, vocabulary.LeadingTrie.DepthMax);
        _path = new Configuration[depthMax + 1];
        _hasEscaped = new bool[depthMax + 1];
        _accepted = new ulong[TokenSet.WordCount(vocabulary.Size)];
        _locals = [.. program.Rules.Select(rule => vocabulary.Masks.Of(rule.Automaton))];
    }

    /// <summary>Adds the tokens that may come in a configuration.</summary>
    public void AddTo(Configuration configuration, Span<ulong> mask)
    {
        foreach (var top in configuration.Tops)
        {
            var own = top.Mask ?? Find(top);
            own.Within.AddTo(mask);
            own.Beyond.AddTo(mask);
        }
    }

    /// <summary>Tokens of another trie, such as that of a text's first token, which are not kept.</summary>
    public TokenSet Walk(Configuration from, TokenTrie trie)
    {
        lock (_graph.Lock)
        {
            return Accepted(from, trie);
        }
    }

    /// <summary>Computes what a state says by itself before it is asked for.</summary>
    public void Prepare(int state, int needed, int left)
    {
        lock (_graph.Lock)
        {
            Local(state, needed, left);
        }
    }

    private StackMask Find(StackNode node)
    {
        lock (_graph.Lock)
        {
            var local = Local(node.State, node.Needed, node.Left);
            var beyond = local.Dependents is { } trie ? Accepted(_graph.Alone(node), trie) : TokenSet.Empty;
            return node.Mask = new StackMask(local.Accepted, beyond);
        }
    }

    private LocalMask Local(int state, int needed, int left)
    {
        // No token has more items than bytes: counts that are further away do not matter to it.
        var far = _vocabulary.Trie.DepthMax + 1;
        needed = Math.Min(needed, far);
        left = left >= far ? RuleAutomaton.Unlimited : left;
        var locals = _locals[_program.States[state].Rule];
        var key = (_program.States[state].Index, needed, left);
        if (!locals.TryGetValue(key, out var local))
        {
            local = WalkLocally(_graph.Alone(_graph.Node(state, needed, left, _graph.Bottom)));
            locals.TryAdd(key, local);
        }

        return local;
    }

    private LocalMask WalkLocally(Configuration from)
    {
        var trie = _vocabulary.Trie;
        var (bytes, depths, skips) = (trie.Bytes, trie.Depths, trie.Skips);
        _dependents.Clear();
        _path[0] = from;
        _hasEscaped[0] = false;
        var (count, work) = (0, 0L);
        for (var node = 0; node < bytes.Length && work < WorkMax;)
        {
            var depth = depths[node];
            var next = Next(_path[depth - 1], bytes[node]);
            if (ReferenceEquals(next, _graph.Dead))
            {
                if (_hasEscaped[depth - 1])
                {
                    for (var i = trie.TokenStarts[node]; i < trie.TokenStarts[skips[node]]; i++)
                    {
                        _dependents.Add(trie.Tokens[i]);
                    }
                }

                node = skips[node];
                continue;
            }

            count += Accept(trie, node);
            work += next.Tops.Length;
            _path[depth] = next;
            _hasEscaped[depth] = _hasEscaped[depth - 1] || next.Escapes;
            node++;
        }

        return new LocalMask(TakeAccepted(count), _dependents.Count == 0 ? null : TokenTrie.Of(_vocabulary.TokenBytes, _dependents));
    }

    private TokenSet Accepted(Configuration from, TokenTrie trie)
    {
        var (bytes, depths, skips) = (trie.Bytes, trie.Depths, trie.Skips);
        _path[0] = from;
        var (count, work) = (0, 0L);
        for (var node = 0; node < bytes.Length && work < WorkMax;)
        {
            var depth = depths[node];
            var next = Next(_path[depth - 1], bytes[node]);
            if (ReferenceEquals(next, _graph.Dead))
            {
                node = skips[node];
                continue;
            }

            count += Accept(trie, node);
            work += next.Tops.Length;
            _path[depth] = next;
            node++;
        }

        return TakeAccepted(count);
    }

    private Configuration Next(Configuration from, byte value) => from.Next[_program.ByteClasses[value]] ?? _graph.Step(from, value);

    /// <summary>Takes in the tokens of a node.</summary>
    /// <returns>How many.</returns>
    private int Accept(TokenTrie trie, int node)
    {
        var first = trie.TokenStarts[node];
        var end = trie.TokenStarts[node + 1];
        for (var i = first; i < end; i++)
        {
            var token = trie.Tokens[i];
            _accepted[token >> 6] |= 1UL << token;
        }

        return end - first;
    }

    private TokenSet TakeAccepted(int count)
    {
        if (count == 0)
        {
            return TokenSet.Empty;
        }

        var set = new TokenSet(_accepted, count);
        _accepted.AsSpan().Clear();
        return set;
    }
}
