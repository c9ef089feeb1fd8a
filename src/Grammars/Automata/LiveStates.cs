namespace Serving.Grammars.Automata;

/// <summary>Finds the states from which their rule can be ended by some text, through calls of rules for which the same holds.</summary>
internal static class LiveStates
{
    /// <returns>By rule and state. A rule lives if its start does.</returns>
    public static bool[][] Find(IReadOnlyList<RuleAutomaton> rules, Func<byte, bool> canWrite)
    {
        var alive = rules.Select(rule => new bool[rule.Automaton.States.Count]).ToArray();
        var sources = rules.Select(rule => Sources(rule.Automaton, canWrite)).ToArray();

        // Calls that would live if the called rule did: (calling rule, state before, state after).
        var waiting = new List<(int Rule, int From, int To)>[rules.Count];
        var callsInto = rules.Select(rule => new List<(int From, int Callee)>?[rule.Automaton.States.Count]).ToArray();
        for (var rule = 0; rule < rules.Count; rule++)
        {
            for (var from = 0; from < rules[rule].Automaton.States.Count; from++)
            {
                foreach (var call in rules[rule].Automaton.States[from].Calls)
                {
                    (waiting[call.Rule] ??= []).Add((rule, from, call.Target));
                    (callsInto[rule][call.Target] ??= []).Add((from, call.Rule));
                }
            }
        }

        var open = new Stack<(int Rule, int State)>();
        for (var rule = 0; rule < rules.Count; rule++)
        {
            for (var state = 0; state < alive[rule].Length; state++)
            {
                if (rules[rule].Automaton.States[state].Accepts || (rules[rule].IsCounted && rules[rule].CountMin == 0 && state == 0))
                {
                    open.Push((rule, state));
                }
            }
        }

        while (open.TryPop(out var next))
        {
            var (rule, state) = next;
            if (alive[rule][state])
            {
                continue;
            }

            alive[rule][state] = true;
            sources[rule][state]?.ForEach(from => open.Push((rule, from)));
            callsInto[rule][state]?.ForEach(call =>
            {
                if (alive[call.Callee][0])
                {
                    open.Push((rule, call.From));
                }
            });
            if (state == 0)
            {
                waiting[rule]?.ForEach(call =>
                {
                    if (alive[call.Rule][call.To])
                    {
                        open.Push((call.Rule, call.From));
                    }
                });
            }
        }

        return alive;
    }

    private static List<int>?[] Sources(Automaton automaton, Func<byte, bool> canWrite)
    {
        var sources = new List<int>?[automaton.States.Count];
        for (var from = 0; from < sources.Length; from++)
        {
            foreach (var edge in automaton.States[from].Bytes)
            {
                if (Enumerable.Range(edge.First, edge.Last - edge.First + 1).Any(value => canWrite((byte)value)))
                {
                    (sources[edge.Target] ??= []).Add(from);
                }
            }
        }

        return sources;
    }
}
