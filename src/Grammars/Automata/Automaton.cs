namespace Serving.Grammars.Automata;

/// <summary>A step over one byte of a range.</summary>
internal readonly record struct ByteEdge(byte First, byte Last, int Target);

/// <summary>A step over a text of another rule, by the rule's index.</summary>
internal readonly record struct CallEdge(int Rule, int Target);

/// <summary>A state: its edges, and whether the text may end here.</summary>
internal sealed record AutomatonState(ByteEdge[] Bytes, CallEdge[] Calls, bool Accepts);

/// <summary>A finite automaton over bytes and calls; it starts at state 0. Deterministic unless a rule was too large to be made so.</summary>
internal sealed class Automaton(IReadOnlyList<AutomatonState> states)
{
    public IReadOnlyList<AutomatonState> States => states;

    public bool HasCalls => states.Any(state => state.Calls.Length > 0);

    /// <summary>Whether no text that is accepted is the beginning of another one.</summary>
    public bool IsPrefixFree => states.All(state => !state.Accepts || (state.Bytes.Length == 0 && state.Calls.Length == 0));

    /// <summary>Whether nothing is accepted; there are no calls.</summary>
    public bool IsEmpty
    {
        get
        {
            var seen = new HashSet<int> { 0 };
            var open = new Stack<int>(seen);
            while (open.TryPop(out var index))
            {
                if (states[index].Accepts)
                {
                    return false;
                }

                foreach (var edge in states[index].Bytes)
                {
                    if (seen.Add(edge.Target))
                    {
                        open.Push(edge.Target);
                    }
                }
            }

            return true;
        }
    }

    /// <summary>Whether a text is accepted; the automaton is deterministic and has no calls.</summary>
    public bool Accepts(ReadOnlySpan<byte> text)
    {
        var index = 0;
        foreach (var value in text)
        {
            var target = -1;
            foreach (var edge in states[index].Bytes)
            {
                target = edge.First <= value && value <= edge.Last ? edge.Target : target;
            }

            if (target < 0)
            {
                return false;
            }

            index = target;
        }

        return states[index].Accepts;
    }

    /// <summary>The texts themselves, as a tree of their common beginnings.</summary>
    public static Automaton OfLiterals(IEnumerable<byte[]> texts)
    {
        var edges = new List<SortedDictionary<byte, int>> { new() };
        var ends = new HashSet<int>();
        foreach (var text in texts)
        {
            var index = 0;
            foreach (var value in text)
            {
                if (!edges[index].TryGetValue(value, out var next))
                {
                    GrammarSize.ThrowIfOver(edges.Count, GrammarLimits.StatesMax);
                    next = edges.Count;
                    edges[index].Add(value, next);
                    edges.Add([]);
                }

                index = next;
            }

            ends.Add(index);
        }

        return new Automaton([.. edges.Select((targets, index) =>
            new AutomatonState([.. targets.Select(edge => new ByteEdge(edge.Key, edge.Key, edge.Value))], [], ends.Contains(index)))]);
    }
}
