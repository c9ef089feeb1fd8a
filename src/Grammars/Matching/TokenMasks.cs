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
    private readonly List<int> _accepted = [];
    private readonly List<int> _dependents = [];
    private readonly Dictionary<(int State, int Needed, int Left), LocalMask> _locals = [];
    private readonly TokenSet _none = new([], int.MaxValue);

    public TokenMasks(GrammarProgram program, MatchGraph graph, TokenVocabulary vocabulary)
    {
        _program = program;
        _graph = graph;
        _vocabulary = vocabulary;
        var depthMax = Math.Max(vocabulary.Trie.DepthMax, vocabulary.LeadingTrie.DepthMax);
        _path = new Configuration[depthMax + 1];
        _hasEscaped = new bool[depthMax + 1];
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
            var beyond = local.Dependents is { } trie ? Accepted(_graph.Alone(node), trie) : _none;
            return node.Mask = new StackMask(local.Accepted, beyond);
        }
    }

    private LocalMask Local(int state, int needed, int left)
    {
        // No token has more items than bytes: counts that are further away do not matter to it.
        var far = _vocabulary.Trie.DepthMax + 1;
        var key = (state, Math.Min(needed, far), left >= far ? RuleAutomaton.Unlimited : left);
        if (!_locals.TryGetValue(key, out var local))
        {
            local = WalkLocally(_graph.Alone(_graph.Node(key.state, key.Item2, key.Item3, _graph.Bottom)));
            _locals.Add(key, local);
        }

        return local;
    }

    private LocalMask WalkLocally(Configuration from)
    {
        var trie = _vocabulary.Trie;
        _accepted.Clear();
        _dependents.Clear();
        _path[0] = from;
        _hasEscaped[0] = false;
        var work = 0L;
        for (var node = 0; node < trie.NodeCount && work < WorkMax;)
        {
            var depth = trie.Depths[node];
            var hasEscaped = _hasEscaped[depth - 1];
            work += _path[depth - 1].Tops.Length;
            var next = _graph.Step(_path[depth - 1], trie.Bytes[node]);
            if (next.IsDead)
            {
                if (hasEscaped)
                {
                    AddTokens(trie, node, trie.Skips[node], _dependents);
                }

                node = trie.Skips[node];
                continue;
            }

            AddTokens(trie, node, node + 1, _accepted);
            _path[depth] = next;
            _hasEscaped[depth] = hasEscaped || next.Escapes;
            node++;
        }

        return new LocalMask(
            new TokenSet(_accepted, _vocabulary.Size), _dependents.Count == 0 ? null : TokenTrie.Of(_vocabulary.TokenBytes, _dependents));
    }

    private TokenSet Accepted(Configuration from, TokenTrie trie)
    {
        _accepted.Clear();
        _path[0] = from;
        var work = 0L;
        for (var node = 0; node < trie.NodeCount && work < WorkMax;)
        {
            var depth = trie.Depths[node];
            work += _path[depth - 1].Tops.Length;
            var next = _graph.Step(_path[depth - 1], trie.Bytes[node]);
            if (next.IsDead)
            {
                node = trie.Skips[node];
                continue;
            }

            AddTokens(trie, node, node + 1, _accepted);
            _path[depth] = next;
            node++;
        }

        return _accepted.Count == 0 ? _none : new TokenSet(_accepted, _vocabulary.Size);
    }

    private static void AddTokens(TokenTrie trie, int firstNode, int endNode, List<int> ids)
    {
        for (var i = trie.TokenStarts[firstNode]; i < trie.TokenStarts[endNode]; i++)
        {
            ids.Add(trie.Tokens[i]);
        }
    }
}
