namespace Serving.Grammars.Automata;

/// <summary>Set operations on deterministic automata without calls, by walking both at once.</summary>
internal static class AutomatonProduct
{
    private const int Nowhere = -1;

    /// <summary>Texts that both accept.</summary>
    public static Automaton Intersect(Automaton left, Automaton right) =>
        Walk(left, right, (a, b) => a != Nowhere && b != Nowhere, (a, b) => a && b);

    /// <summary>Texts that the left one accepts and the right one does not.</summary>
    public static Automaton Except(Automaton left, Automaton right) => Walk(left, right, (a, _) => a != Nowhere, (a, b) => a && !b);

    private static Automaton Walk(Automaton left, Automaton right, Func<int, int, bool> isAlive, Func<bool, bool, bool> accepts)
    {
        var indexes = new Dictionary<(int, int), int> { [(0, 0)] = 0 };
        var pairs = new List<(int Left, int Right)> { (0, 0) };
        var states = new List<AutomatonState>();
        for (var i = 0; i < pairs.Count; i++)
        {
            GrammarSize.ThrowIfOver(pairs.Count, GrammarLimits.RuleStatesMax);
            var (a, b) = pairs[i];
            var edges = new List<ByteEdge>();
            foreach (var (first, last, x, y) in Align(left.States[a].Bytes, b == Nowhere ? [] : right.States[b].Bytes))
            {
                if (isAlive(x, y))
                {
                    if (!indexes.TryGetValue((x, y), out var target))
                    {
                        target = pairs.Count;
                        indexes.Add((x, y), target);
                        pairs.Add((x, y));
                    }

                    edges.Add(new ByteEdge(first, last, target));
                }
            }

            states.Add(new AutomatonState([.. edges], [], accepts(left.States[a].Accepts, b != Nowhere && right.States[b].Accepts)));
        }

        return RemoveDeadEnds(states);
    }

    /// <summary>The ranges of the left edges, cut where the right ones begin and end.</summary>
    private static IEnumerable<(byte First, byte Last, int Left, int Right)> Align(ByteEdge[] left, ByteEdge[] right)
    {
        foreach (var edge in left)
        {
            int next = edge.First;
            foreach (var other in right)
            {
                if (other.Last < next || other.First > edge.Last)
                {
                    continue;
                }

                if (other.First > next)
                {
                    yield return ((byte)next, (byte)(other.First - 1), edge.Target, Nowhere);
                    next = other.First;
                }

                var last = Math.Min(edge.Last, other.Last);
                yield return ((byte)next, last, edge.Target, other.Target);
                next = last + 1;
            }

            if (next <= edge.Last)
            {
                yield return ((byte)next, edge.Last, edge.Target, Nowhere);
            }
        }
    }

    private static Automaton RemoveDeadEnds(List<AutomatonState> states)
    {
        var sources = new List<int>[states.Count];
        for (var i = 0; i < states.Count; i++)
        {
            foreach (var edge in states[i].Bytes)
            {
                (sources[edge.Target] ??= []).Add(i);
            }
        }

        var alive = new bool[states.Count];
        var open = new Stack<int>(Enumerable.Range(0, states.Count).Where(i => states[i].Accepts));
        while (open.TryPop(out var state))
        {
            if (!alive[state])
            {
                alive[state] = true;
                sources[state]?.ForEach(open.Push);
            }
        }

        return new Automaton([.. states.Select(state => state with { Bytes = [.. state.Bytes.Where(edge => alive[edge.Target])] })]);
    }
}
