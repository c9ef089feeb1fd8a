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
        var sets = new List<int[]>();
        var states = new List<AutomatonState>();

        int IndexOf(List<int> targets)
        {
            var set = Closure(targets, end);
            if (!indexes.TryGetValue(set, out var index))
            {
                index = sets.Count;
                indexes.Add(set, index);
                sets.Add(set);
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
            var set = Closure([order[i]], end);
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

    private int[] Closure(List<int> targets, int end)
    {
        var seen = new HashSet<int>(targets);
        var open = new Stack<int>(targets);
        while (open.TryPop(out var state))
        {
            foreach (var next in _empties[state])
            {
                if (seen.Add(next))
                {
                    open.Push(next);
                }
            }
        }

        var set = seen.Where(state => state == end || _bytes[state].Count > 0 || _calls[state].Count > 0).ToArray();
        Array.Sort(set);
        return set;
    }

    private sealed class StateSetComparer : IEqualityComparer<int[]>
    {
        public static StateSetComparer Instance { get; } = new();

        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] set)
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes(set.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
