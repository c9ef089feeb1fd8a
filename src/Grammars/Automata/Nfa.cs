using System.Runtime.InteropServices;

namespace Serving.Grammars.Automata;

/// <summary>A nondeterministic automaton while it is built: states with byte edges, calls and edges over nothing.</summary>
internal sealed class Nfa
{
    /// <summary>States in all the sets of a subset construction.</summary>
    private const long WorkMax = 2_000_000;

    private readonly List<List<ByteEdge>> _bytes = [];
    private readonly List<List<CallEdge>> _calls = [];
    private readonly List<List<int>> _empties = [];

    // Of the closure that is looked for: by state, the last one that it was met in; what is still to be followed; what is found.
    private int[] _metIn = [];
    private int _closure;
    private readonly Stack<int> _open = new();
    private readonly List<int> _found = [];

    public int Count => _bytes.Count;

    public int NewState()
    {
        GrammarSize.ThrowIfOver(Count + 1, GrammarLimits.StatesMax);
        _bytes.Add([]);
        _calls.Add([]);
        _empties.Add([]);
        return Count - 1;
    }

    public void OnByte(int from, byte first, byte last, int to) => _bytes[from].Add(new ByteEdge(first, last, to));

    public void OnCall(int from, int rule, int to) => _calls[from].Add(new CallEdge(rule, to));

    public void OnNothing(int from, int to)
    {
        if (from != to)
        {
            _empties[from].Add(to);
        }
    }

    /// <summary>
    /// The same language, deterministic over bytes and calls: the subset construction, over states that have edges or end the text. The others
    /// only tell by which way a state was reached.
    /// </summary>
    /// <returns>Null: it needs more than <paramref name="statesMax"/> states, or too many of this automaton's at once.</returns>
    public Automaton? Determinise(int start, int end, int statesMax)
    {
        var indexes = new Dictionary<int[], int>(StateSetComparer.Instance);
        var indexesBySpan = indexes.GetAlternateLookup<ReadOnlySpan<int>>();
        var sets = new List<int[]>();
        var states = new List<AutomatonState>();

        int IndexOf(List<int> targets)
        {
            var closure = Closure(CollectionsMarshal.AsSpan(targets), end);
            if (!indexesBySpan.TryGetValue(closure, out var index))
            {
                index = sets.Count;
                sets.Add(closure.ToArray());
                indexes.Add(sets[index], index);
            }

            return index;
        }

        IndexOf([start]);
        var work = 0L;
        for (var i = 0; i < sets.Count; i++)
        {
            work += sets[i].Length;
            if (sets.Count > statesMax || work > WorkMax)
            {
                return null;
            }

            states.Add(new AutomatonState(ByteEdges(sets[i], IndexOf), CallEdges(sets[i], IndexOf), sets[i].Contains(end)));
        }

        return new Automaton(states);
    }

    /// <summary>The same language without edges over nothing, not deterministic.</summary>
    public Automaton RemoveEmptyEdges(int start, int end)
    {
        var indexes = new Dictionary<int, int>();
        var order = new List<int>();
        int IndexOf(int state)
        {
            if (!indexes.TryGetValue(state, out var index))
            {
                index = order.Count;
                indexes.Add(state, index);
                order.Add(state);
            }

            return index;
        }

        IndexOf(start);
        var states = new List<AutomatonState>();
        for (var i = 0; i < order.Count; i++)
        {
            var set = Closure([order[i]], end).ToArray();
            states.Add(new AutomatonState(
                [.. set.SelectMany(state => _bytes[state]).Select(edge => edge with { Target = IndexOf(edge.Target) }).Distinct()],
                [.. set.SelectMany(state => _calls[state]).Select(edge => edge with { Target = IndexOf(edge.Target) }).Distinct()],
                set.Contains(end)));
        }

        return new Automaton(states);
    }

    private ByteEdge[] ByteEdges(int[] set, Func<List<int>, int> indexOf)
    {
        var edges = new List<ByteEdge>();
        Span<bool> begins = stackalloc bool[257];
        foreach (var state in set)
        {
            foreach (ref readonly var edge in CollectionsMarshal.AsSpan(_bytes[state]))
            {
                edges.Add(edge);
                begins[edge.First] = true;
                begins[edge.Last + 1] = true;
            }
        }

        var result = new List<ByteEdge>();
        var targets = new List<int>();
        for (var first = 0; first < 256;)
        {
            var next = first + 1;
            while (next < 256 && !begins[next])
            {
                next++;
            }

            targets.Clear();
            foreach (ref readonly var edge in CollectionsMarshal.AsSpan(edges))
            {
                if (edge.First <= first && first <= edge.Last)
                {
                    targets.Add(edge.Target);
                }
            }

            if (targets.Count > 0)
            {
                Append(result, (byte)first, (byte)(next - 1), indexOf(targets));
            }

            first = next;
        }

        return [.. result];
    }

    private static void Append(List<ByteEdge> edges, byte first, byte last, int target)
    {
        if (edges.Count > 0 && edges[^1].Target == target && edges[^1].Last + 1 == first)
        {
            edges[^1] = edges[^1] with { Last = last };
        }
        else
        {
            edges.Add(new ByteEdge(first, last, target));
        }
    }

    private CallEdge[] CallEdges(int[] set, Func<List<int>, int> indexOf)
    {
        Dictionary<int, List<int>>? targets = null;
        foreach (var state in set)
        {
            foreach (var call in _calls[state])
            {
                targets ??= [];
                CollectionsMarshal.GetValueRefOrAddDefault(targets, call.Rule, out _) ??= [];
                targets[call.Rule].Add(call.Target);
            }
        }

        return targets is null ? [] : [.. targets.Select(pair => new CallEdge(pair.Key, indexOf(pair.Value)))];
    }

    /// <summary>States with edges, and the end, that are reached over nothing; ascending, there until the next call.</summary>
    private ReadOnlySpan<int> Closure(ReadOnlySpan<int> targets, int end)
    {
        if (_metIn.Length < Count)
        {
            _metIn = new int[Count];
        }

        _closure++;
        _found.Clear();
        Open(targets);
        while (_open.TryPop(out var state))
        {
            if (state == end || _bytes[state].Count > 0 || _calls[state].Count > 0)
            {
                _found.Add(state);
            }

            Open(CollectionsMarshal.AsSpan(_empties[state]));
        }

        _found.Sort();
        return CollectionsMarshal.AsSpan(_found);
    }

    private void Open(ReadOnlySpan<int> states)
    {
        foreach (var state in states)
        {
            if (_metIn[state] != _closure)
            {
                _metIn[state] = _closure;
                _open.Push(state);
            }
        }
    }

    private sealed class StateSetComparer : IEqualityComparer<int[]>, IAlternateEqualityComparer<ReadOnlySpan<int>, int[]>
    {
        public static StateSetComparer Instance { get; } = new();

        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<int> alternate, int[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(int[] set) => GetHashCode(set.AsSpan());

        public int GetHashCode(ReadOnlySpan<int> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes(alternate));
            return hash.ToHashCode();
        }

        public int[] Create(ReadOnlySpan<int> alternate) => alternate.ToArray();
    }
}
