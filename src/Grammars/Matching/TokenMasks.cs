using System.Collections.Concurrent;
using Serving.Grammars.Automata;

namespace Serving.Grammars.Matching;

/// <summary>
/// Which tokens may come at a place. As in XGrammar (Dong et al., 2024), what a state of a rule says of a token by itself is found once and kept; only the
/// tokens that leave the rule are looked at again, for each stack on which it lies, and of them only what comes after the rule. Any thread may ask; two that
/// ask for the same at once find the same.
/// </summary>
internal sealed class TokenMasks
{
    private readonly GrammarProgram _program;
    private readonly MatchGraph _graph;
    private readonly TokenVocabulary _vocabulary;

    // By rule.
    private readonly bool[] _isFlat;
    private readonly ConcurrentDictionary<MaskKey, LocalMask>[] _locals;

    public TokenMasks(GrammarProgram program, MatchGraph graph, TokenVocabulary vocabulary)
    {
        _program = program;
        _graph = graph;
        _vocabulary = vocabulary;
        _isFlat = [.. Enumerable.Range(0, program.Rules.Length).Select(rule => TrieWalk.IsFlat(program, rule))];
        _locals = [.. program.Rules.Select((rule, index) => _isFlat[index] ? vocabulary.Masks.Of(rule) : [])];
        vocabulary.Masks.Enter(this);
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

    /// <summary>Finds the masks of a configuration's places, unless that takes long.</summary>
    /// <param name="steps">How many nodes of the vocabulary's trie to look at; how many of them are left.</param>
    /// <returns>Whether all are there.</returns>
    public bool TryPrepare(Configuration configuration, ref long steps)
    {
        foreach (var top in configuration.Tops)
        {
            if (top.Mask is null && !TryFind(top, ref steps))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Finds the first mask of a configuration's places that is missing.</summary>
    /// <returns>Whether none was.</returns>
    public bool PrepareNext(Configuration configuration)
    {
        foreach (var top in configuration.Tops)
        {
            if (top.Mask is null)
            {
                Find(top);
                return false;
            }
        }

        return true;
    }

    /// <summary>Finds what a state says by itself before it is asked for.</summary>
    public void Prepare(int state)
    {
        var rule = _program.Rules[_program.States[state].Rule];
        var steps = long.MaxValue;
        Local(state, rule.IsCounted ? rule.CountMin : 0, rule.IsCounted ? rule.CountMax : 0, ref steps);
    }

    /// <summary>Forgets what can be found again.</summary>
    public void Forget()
    {
        foreach (var locals in _locals)
        {
            locals.Clear();
        }

        _graph.Forget();
    }

    private StackMask Find(StackNode node)
    {
        var steps = long.MaxValue;
        TryFind(node, ref steps);
        return node.Mask!;
    }

    private bool TryFind(StackNode node, ref long steps)
    {
        if (Local(node.State, node.Needed, node.Left, ref steps) is not { } local || Beyond(node, local, ref steps) is not { } beyond)
        {
            return false;
        }

        node.Mask = new StackMask(local.Within(node.Left), beyond);
        _vocabulary.Masks.Add(beyond.Bytes);
        return true;
    }

    private LocalMask? Local(int state, int needed, int left, ref long steps)
    {
        var rule = _program.States[state].Rule;
        if (_isFlat[rule])
        {
            (needed, left) = (0, 0);
        }

        // No token has more items than bytes: counts that are further away do not matter to it.
        var far = _vocabulary.Trie.DepthMax + 1;
        needed = Math.Min(needed, far);
        left = left >= far ? RuleAutomaton.Unlimited : left;
        var key = new MaskKey(_program.States[state].Index, needed, left);
        if (!_locals[rule].TryGetValue(key, out var local))
        {
            var walk = Walk(steps);
            local = _isFlat[rule] ? walk.FromState(state) : walk.FromPlace(_graph.ByItself(state, needed, left));
            steps = walk.StepsLeft;
            if (local is not null)
            {
                _locals[rule].TryAdd(key, local);
                _vocabulary.Masks.Add(local.BytesMax);
            }
        }

        return local;
    }

    /// <summary>Tokens that leave the rule of a place and go on with what follows it.</summary>
    private TokenSet? Beyond(StackNode node, LocalMask local, ref long steps)
    {
        var isNarrowed = local.IsNarrowedBy(node.Left);
        if (node.Parent is null || (local.Exits.Length == 0 && !isNarrowed) || _graph.Resume(node.Parent) is not { Tops.Length: > 0 } after)
        {
            return TokenSet.Empty;
        }

        var walk = Walk(steps);
        var isComplete = isNarrowed && MayBeginItem(after, node)
            ? walk.Add(_graph.Resume(node))
            : AddExits(walk, after, node, local);
        steps = walk.StepsLeft;
        return isComplete ? walk.Accepted : null;
    }

    private static bool AddExits(TrieWalk walk, Configuration after, StackNode node, LocalMask local)
    {
        foreach (var exit in local.Exits)
        {
            var isReached = !local.CountsItems || (node.Needed <= exit.Items && exit.Items <= node.Left);
            if (isReached && !walk.Add(after, exit.Node))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Whether what follows a repetition may begin like an item of it. Otherwise a token that has more items than may come can only be wrong, and
    /// those that leave the rule are those that have something else in them.
    /// </summary>
    private bool MayBeginItem(Configuration after, StackNode node)
    {
        var item = _program.States[_program.Starts[_program.States[node.State].Rule]];
        foreach (var top in after.Tops)
        {
            foreach (var edge in _program.States[top.State].Bytes)
            {
                foreach (var begin in item.Bytes)
                {
                    if (edge.First <= begin.Last && begin.First <= edge.Last)
                    {
                        return true;
                    }
                }
            }
        }

        return false;
    }

    private TrieWalk Walk(long steps) => new(_program, _graph, _vocabulary, _vocabulary.Trie, steps);
}
