namespace Serving.Grammars.Automata;

/// <summary>A state of a program: what may come next.</summary>
/// <param name="Rule">The rule that it belongs to.</param>
/// <param name="Index">Its index there; 0 is the rule's start.</param>
internal sealed record ProgramState(int Rule, int Index, ByteEdge[] Bytes, CallEdge[] Calls, bool Accepts)
{
    public bool IsStart => Index == 0;

    /// <summary>Whether its rule has nothing left to do here: a call that would come back to it need not come back at all.</summary>
    public bool OnlyReturns => Accepts && Bytes.Length == 0 && Calls.Length == 0;
}

/// <summary>
/// A grammar's automata in one numbering, without what leads nowhere: from every state of it a text can be ended. The root's start is state
/// <see cref="Start"/>.
/// </summary>
internal sealed class GrammarProgram
{
    private GrammarProgram(ProgramState[] states, RuleAutomaton[] rules, int[] starts)
    {
        States = states;
        Rules = rules;
        Starts = starts;
        ByteClasses = Classify(states, out var count);
        ClassCount = count;
    }

    public ProgramState[] States { get; }

    public RuleAutomaton[] Rules { get; }

    /// <summary>The start of each rule.</summary>
    public int[] Starts { get; }

    public int Start => Starts[0];

    /// <summary>Bytes of one class are alike to every state.</summary>
    public byte[] ByteClasses { get; }

    public int ClassCount { get; }

    /// <summary>Links a grammar's automata.</summary>
    /// <param name="rules">The root first.</param>
    /// <param name="canWrite">Whether a vocabulary can write a byte by itself; what needs another byte leads nowhere.</param>
    /// <exception cref="GrammarException">No text satisfies it, or it recurses on the left.</exception>
    public static GrammarProgram Link(IReadOnlyList<RuleAutomaton> rules, Func<byte, bool> canWrite)
    {
        if (LeftRecursion.Find(rules) is { } recursing)
        {
            throw new GrammarException("", $"recurses on the left: rule '{recursing}' can begin with itself. Write the recursion on the right, or as a repetition.");
        }

        var alive = LiveStates.Find(rules, canWrite);
        if (!alive[0][0])
        {
            throw new GrammarException("", "has no end: no text of finite length can satisfy it. Give each recursion an alternative without it, and each value a range that is not empty.");
        }

        var starts = new int[rules.Count];
        var indexes = new int[rules.Count][];
        var count = 0;
        for (var rule = 0; rule < rules.Count; rule++)
        {
            starts[rule] = count;
            indexes[rule] = [.. alive[rule].Select(isAlive => isAlive ? count++ : -1)];
        }

        var states = new ProgramState[count];
        for (var rule = 0; rule < rules.Count; rule++)
        {
            for (var i = 0; i < indexes[rule].Length; i++)
            {
                if (alive[rule][i])
                {
                    states[indexes[rule][i]] = LinkState(rule, i, rules[rule].Automaton.States[i], indexes[rule], alive, canWrite);
                }
            }
        }

        return new GrammarProgram(states, [.. rules], starts);
    }

    private static ProgramState LinkState(int rule, int index, AutomatonState state, int[] indexes, bool[][] alive, Func<byte, bool> canWrite) => new(
        rule,
        index,
        [.. state.Bytes.Where(edge => indexes[edge.Target] >= 0).SelectMany(edge => Writable(edge, canWrite)).Select(edge => edge with { Target = indexes[edge.Target] })],
        [.. state.Calls.Where(call => alive[call.Rule][0] && indexes[call.Target] >= 0).Select(call => call with { Target = indexes[call.Target] })],
        state.Accepts);

    private static IEnumerable<ByteEdge> Writable(ByteEdge edge, Func<byte, bool> canWrite)
    {
        for (int first = edge.First; first <= edge.Last;)
        {
            var next = first + 1;
            if (canWrite((byte)first))
            {
                while (next <= edge.Last && canWrite((byte)next))
                {
                    next++;
                }

                yield return new ByteEdge((byte)first, (byte)(next - 1), edge.Target);
            }

            first = next;
        }
    }

    private static byte[] Classify(ProgramState[] states, out int count)
    {
        var begins = new bool[257];
        foreach (var edge in states.SelectMany(state => state.Bytes))
        {
            begins[edge.First] = true;
            begins[edge.Last + 1] = true;
        }

        var classes = new byte[256];
        count = 1;
        for (var value = 1; value < 256; value++)
        {
            count += begins[value] ? 1 : 0;
            classes[value] = (byte)(count - 1);
        }

        return classes;
    }
}
