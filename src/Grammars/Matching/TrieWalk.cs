using System.Runtime.CompilerServices;
using Serving.Grammars.Automata;

namespace Serving.Grammars.Matching;

/// <summary>
/// Walks through the texts of a vocabulary along an automaton: finds the tokens that it can read, and where others leave the rule in which they began. One thread
/// uses it.
/// </summary>
/// <param name="stepsMax">Nodes to walk through; when they do not suffice, nothing that was found is of use.</param>
internal sealed class TrieWalk(GrammarProgram program, MatchGraph graph, TokenVocabulary vocabulary, TokenTrie trie, long stepsMax = long.MaxValue)
{
    /// <summary>Places that a walk may be at, summed over its nodes: one of an ambiguous grammar gets no further, and so less than it allows, and always the same.</summary>
    private const long PlacesMax = 5_000_000;

    /// <summary>What a configuration that is not known yet costs, in nodes.</summary>
    private const int NewStepCost = 100;

    private readonly Place[] _path = new Place[trie.DepthMax + 1];
    private readonly ulong[] _accepted = new ulong[TokenSet.WordCount(vocabulary.Size)];
    private readonly List<RuleExit> _exits = [];
    private ushort[]? _items;
    private ByteEdge[]? _itemStart;
    private long _places;

    /// <summary>Nodes that may still be walked through; below 0: it was ended for that.</summary>
    public long StepsLeft { get; private set; } = stepsMax;

    public TokenSet Accepted => TokenSet.Of(_accepted);

    /// <summary>
    /// What a state says by itself, whose rule has no calls and is deterministic (<see cref="IsFlat"/>), so that nothing has to be built for it. A repetition is
    /// taken to have no bounds.
    /// </summary>
    /// <returns>Null: it would take longer than it may.</returns>
    public LocalMask? FromState(int state)
    {
        var rule = program.States[state].Rule;
        if (program.Rules[rule].IsCounted)
        {
            _itemStart = program.States[program.Starts[rule]].Bytes;
            _items = new ushort[vocabulary.Size];
        }

        _path[0] = new Place { Edges = program.States[state].Bytes };
        return Walk(0, trie.NodeCount) ? new LocalMask(Accepted, _items, [.. _exits]) : null;
    }

    /// <summary>What a place says by itself.</summary>
    /// <returns>Null: it would take longer than it may.</returns>
    public LocalMask? FromPlace(Configuration place)
    {
        _path[0] = new Place { At = place };
        return Walk(0, trie.NodeCount) ? new LocalMask(Accepted, items: null, [.. _exits]) : null;
    }

    /// <summary>Adds the tokens that can be read from a configuration.</summary>
    /// <returns>False: it would take longer than it may.</returns>
    public bool Add(Configuration from)
    {
        _path[0] = new Place { At = from };
        return Walk(0, trie.NodeCount);
    }

    /// <summary>Adds the tokens through a node whose rest, from that node's byte on, can be read from a configuration.</summary>
    /// <returns>False: it would take longer than it may.</returns>
    public bool Add(Configuration from, int node)
    {
        _path[trie.Depths[node] - 1] = new Place { At = from };
        return Walk(node, trie.Skips[node]);
    }

    /// <summary>Whether a rule can be walked along its states alone: a deterministic one without calls, of which an item, if it repeats, ends where nothing goes on.</summary>
    public static bool IsFlat(GrammarProgram program, int rule)
    {
        var first = program.Starts[rule];
        var end = rule + 1 < program.Starts.Length ? program.Starts[rule + 1] : program.States.Length;
        foreach (var state in program.States.AsSpan(first, end - first))
        {
            var isMet = state.Bytes.AsSpan();
            if (state.Calls.Length > 0 || (program.Rules[rule].IsCounted && state.Accepts && (state.IsStart || isMet.Length > 0)))
            {
                return false;
            }

            for (var i = 1; i < isMet.Length; i++)
            {
                if (isMet[i].First <= isMet[i - 1].Last)
                {
                    return false;
                }
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Walk(int first, int end)
    {
        var (bytes, depths, skips, tokenStarts, tokens) = (trie.Bytes, trie.Depths, trie.Skips, trie.TokenStarts, trie.Tokens);
        for (var node = first; node < end && _places < PlacesMax;)
        {
            if (--StepsLeft < 0)
            {
                return false;
            }

            int depth = depths[node];
            ref var at = ref _path[depth];
            ref var before = ref _path[depth - 1];
            if (!(before.At is null ? StepInRule(ref before, bytes[node], ref at) : StepInGraph(before.At, bytes[node], ref at)))
            {
                AddExits(depth, node);
                node = skips[node];
                continue;
            }

            at.Node = node;
            at.IsExit = false;
            for (var i = tokenStarts[node]; i < tokenStarts[node + 1]; i++)
            {
                var token = tokens[i];
                _accepted[token >> 6] |= 1UL << token;
                if (_items is not null)
                {
                    _items[token] = (ushort)(before.Items + 1);
                }
            }

            node++;
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool StepInRule(ref Place before, byte value, ref Place at)
    {
        // Siblings and edges both ascend.
        var edges = before.Edges;
        while (before.Edge < edges.Length && edges[before.Edge].Last < value)
        {
            before.Edge++;
        }

        if (before.Edge == edges.Length || edges[before.Edge].First > value)
        {
            return false;
        }

        var state = program.States[edges[before.Edge].Target];
        var endsItem = _itemStart is not null && state.Accepts;
        at.At = null;
        at.Edges = endsItem ? _itemStart! : state.Bytes;
        at.Edge = 0;
        at.Items = endsItem ? before.Items + 1 : before.Items;
        at.IsEnd = state.Accepts;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool StepInGraph(Configuration from, byte value, ref Place at)
    {
        var next = from.Next[program.ByteClasses[value]];
        if (next is null)
        {
            next = graph.Step(from, value);
            StepsLeft -= NewStepCost + next.Tops.Length;
        }

        _places += next.Tops.Length;
        at.At = next;
        at.IsEnd = next.Escapes;
        return next != graph.Dead;
    }

    /// <summary>Notes where the texts through a node, which cannot be read, have left the rule.</summary>
    private void AddExits(int depth, int node)
    {
        if (_path[depth - 1].IsEnd)
        {
            _exits.Add(new RuleExit(node, _path[depth - 1].Items));
        }

        while (--depth > 0 && !_path[depth].IsExit)
        {
            _path[depth].IsExit = true;
            if (_path[depth - 1].IsEnd)
            {
                _exits.Add(new RuleExit(_path[depth].Node, _path[depth - 1].Items));
            }
        }
    }

    /// <summary>Where the text of a node of the path leads.</summary>
    private struct Place
    {
        /// <summary>Null while a rule is walked through by itself.</summary>
        public Configuration? At;

        public ByteEdge[] Edges;

        /// <summary>The first edge that later siblings can take.</summary>
        public int Edge;

        public int Node;

        /// <summary>Items of a repetition that are complete.</summary>
        public int Items;

        /// <summary>Whether the rule may end here.</summary>
        public bool IsEnd;

        /// <summary>Whether it is known that a text through this node cannot be read, and its exits are noted.</summary>
        public bool IsExit;
    }
}
