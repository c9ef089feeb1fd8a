namespace Serving.Grammars.Automata;

/// <summary>Finds rules that can call themselves before a byte is read: matching them would never come to one.</summary>
internal static class LeftRecursion
{
    /// <returns>The name of such a rule, or null.</returns>
    public static string? Find(IReadOnlyList<RuleAutomaton> rules)
    {
        var empty = FindEmpty(rules);
        var calls = rules.Select(rule => FirstCalls(rule, empty)).ToArray();

        // Rules are taken away once all that they call first are: what is left calls itself.
        var callers = new List<int>[rules.Count];
        var open = new int[rules.Count];
        for (var rule = 0; rule < rules.Count; rule++)
        {
            open[rule] = calls[rule].Count;
            foreach (var callee in calls[rule])
            {
                (callers[callee] ??= []).Add(rule);
            }
        }

        var done = new Stack<int>(Enumerable.Range(0, rules.Count).Where(rule => open[rule] == 0));
        while (done.TryPop(out var rule))
        {
            callers[rule]?.ForEach(caller =>
            {
                if (--open[caller] == 0)
                {
                    done.Push(caller);
                }
            });
        }

        var left = Array.FindIndex(open, count => count > 0);
        if (left < 0)
        {
            return null;
        }

        // Along calls that are left, every way ends in a cycle.
        var seen = new HashSet<int>();
        while (seen.Add(left))
        {
            left = calls[left].First(callee => open[callee] > 0);
        }

        return rules[left].Name;
    }

    /// <summary>Which rules can be satisfied by the empty text.</summary>
    private static bool[] FindEmpty(IReadOnlyList<RuleAutomaton> rules)
    {
        var empty = new bool[rules.Count];
        for (var hasChanged = true; hasChanged;)
        {
            hasChanged = false;
            for (var rule = 0; rule < rules.Count; rule++)
            {
                if (!empty[rule] && (rules[rule] is { IsCounted: true, CountMin: 0 } || Begin(rules[rule], empty).Any(state => rules[rule].Automaton.States[state].Accepts)))
                {
                    empty[rule] = true;
                    hasChanged = true;
                }
            }
        }

        return empty;
    }

    private static HashSet<int> FirstCalls(RuleAutomaton rule, bool[] empty) =>
        [.. Begin(rule, empty).SelectMany(state => rule.Automaton.States[state].Calls).Select(call => call.Rule)];

    /// <summary>States that are reached without a byte.</summary>
    private static HashSet<int> Begin(RuleAutomaton rule, bool[] empty)
    {
        var seen = new HashSet<int> { 0 };
        var open = new Stack<int>(seen);
        while (open.TryPop(out var state))
        {
            foreach (var call in rule.Automaton.States[state].Calls)
            {
                if (empty[call.Rule] && seen.Add(call.Target))
                {
                    open.Push(call.Target);
                }
            }
        }

        return seen;
    }
}
