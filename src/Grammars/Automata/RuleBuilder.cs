using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Automata;

/// <summary>
/// Makes automata of expressions: Thompson's construction, then the subset construction for each rule. What refers to a rule becomes a call, so
/// that a grammar's automata are as small as its text, and recursion is a stack of calls.
/// </summary>
internal sealed class RuleBuilder
{
    /// <summary>Repetitions that write out no more states than this are written out; longer ones are counted where that is possible.</summary>
    private const int WrittenOutMax = 64;

    private readonly Dictionary<object, int> _indexes = new(ReferenceEqualityComparer.Instance);
    private readonly List<object> _parts = [];
    private readonly bool _inlines;
    private int _depth;

    private RuleBuilder(bool inlines) => _inlines = inlines;

    /// <summary>The automata of a grammar; the first is the root's.</summary>
    /// <exception cref="GrammarException">It is too large.</exception>
    public static IReadOnlyList<RuleAutomaton> Build(Expression root)
    {
        var builder = new RuleBuilder(inlines: false);
        builder.IndexOf(new Rule("", root));
        var rules = new List<RuleAutomaton>();
        var states = 0;
        for (var i = 0; i < builder._parts.Count; i++)
        {
            rules.Add(builder._parts[i] is Rule rule ? builder.BuildRule(rule) : builder.BuildCounted((Expression.Counted)builder._parts[i]));
            states += rules[^1].Automaton.States.Count;
            GrammarSize.ThrowIfOver(states, GrammarLimits.StatesMax);
        }

        return rules;
    }

    /// <summary>One deterministic automaton without calls; rules are written out where they are referred to.</summary>
    /// <exception cref="GrammarException">It is too large, or recurses.</exception>
    public static Automaton BuildFlat(Expression expression)
    {
        if (expression is Expression.Built built)
        {
            return built.Automaton;
        }

        var nfa = new Nfa();
        var start = nfa.NewState();
        var end = new RuleBuilder(inlines: true).Add(nfa, expression, start);
        var automaton = nfa.Determinise(start, end, GrammarLimits.RuleStatesMax);
        GrammarSize.ThrowIfOver(automaton is null ? int.MaxValue : 0, GrammarLimits.RuleStatesMax);
        return automaton!;
    }

    private RuleAutomaton BuildRule(Rule rule)
    {
        var body = rule.Body ?? throw new InvalidOperationException($"Rule '{rule.Name}' has no body.");
        try
        {
            return new RuleAutomaton(rule.Name, BuildOne(body));
        }
        catch (GrammarException exception) when (exception.Path.Length == 0)
        {
            throw new GrammarException(rule.Name, exception.Reason);
        }
    }

    private RuleAutomaton BuildCounted(Expression.Counted counted)
    {
        // A start of its own, to which no way leads back: there, and only there, an item begins.
        var item = BuildOne(counted.Item).States;
        AutomatonState[] states = [item[0], .. item.Select(Shift)];
        states[0] = Shift(item[0]);
        return new RuleAutomaton("repetition", new Automaton(states), IsCounted: true, counted.Min, counted.Max ?? RuleAutomaton.Unlimited);
    }

    private static AutomatonState Shift(AutomatonState state) => state with
    {
        Bytes = [.. state.Bytes.Select(edge => edge with { Target = edge.Target + 1 })],
        Calls = [.. state.Calls.Select(edge => edge with { Target = edge.Target + 1 })],
    };

    private Automaton BuildOne(Expression body)
    {
        if (body is Expression.Built built)
        {
            return built.Automaton;
        }

        var nfa = new Nfa();
        var start = nfa.NewState();
        var end = Add(nfa, body, start);
        if (nfa.Determinise(start, end, Math.Min(GrammarLimits.RuleStatesMax, (2 * nfa.Count) + 256)) is { } automaton)
        {
            return automaton;
        }

        // What has no calls could meet in any number of states at once; what has them only meets where its texts begin alike.
        var loose = nfa.RemoveEmptyEdges(start, end);
        if (!loose.HasCalls)
        {
            GrammarSize.ThrowIfOver(int.MaxValue, GrammarLimits.RuleStatesMax);
        }

        return loose;
    }

    private int IndexOf(object part)
    {
        if (!_indexes.TryGetValue(part, out var index))
        {
            index = _parts.Count;
            _indexes.Add(part, index);
            _parts.Add(part);
        }

        return index;
    }

    /// <summary>Adds an expression's states.</summary>
    /// <returns>The state after it.</returns>
    private int Add(Nfa nfa, Expression expression, int from)
    {
        if (++_depth > GrammarLimits.NestingMax * 8)
        {
            throw new GrammarException("", _inlines
                ? "recurses, or nests too deeply, where a part must be regular."
                : "nests too deeply.");
        }

        var end = expression switch
        {
            Expression.Bytes bytes => AddBytes(nfa, bytes.Value, from),
            Expression.ByteRange range => AddByte(nfa, range.First, range.Last, from),
            Expression.Characters characters => AddCharacters(nfa, characters.Set, from),
            Expression.Sequence sequence => sequence.Items.Aggregate(from, (at, item) => Add(nfa, item, at)),
            Expression.Choice choice => AddChoice(nfa, choice, from),
            Expression.Repeat repeat => AddRepeat(nfa, repeat, from),
            Expression.Counted counted => AddCounted(nfa, counted, from),
            Expression.Reference reference => AddReference(nfa, reference.Rule, from),
            Expression.Intersection both => AddAutomaton(nfa, AutomatonProduct.Intersect(BuildFlat(both.Left), BuildFlat(both.Right)), from),
            Expression.Difference less => AddAutomaton(nfa, AutomatonProduct.Except(BuildFlat(less.Left), BuildFlat(less.Right)), from),
            Expression.Built built => AddAutomaton(nfa, built.Automaton, from),
            Expression.Graph graph => AddGraph(nfa, graph, from),
            _ => throw new InvalidOperationException($"{expression.GetType().Name} has no construction."),
        };
        _depth--;
        return end;
    }

    private static int AddBytes(Nfa nfa, byte[] bytes, int from)
    {
        foreach (var value in bytes)
        {
            from = AddByte(nfa, value, value, from);
        }

        return from;
    }

    private static int AddByte(Nfa nfa, byte first, byte last, int from)
    {
        var to = nfa.NewState();
        nfa.OnByte(from, first, last, to);
        return to;
    }

    private static int AddCharacters(Nfa nfa, CodePointSet set, int from)
    {
        var end = nfa.NewState();
        foreach (var bytes in Utf8Ranges.Of(set))
        {
            var at = from;
            for (var i = 0; i < bytes.Length - 1; i++)
            {
                at = AddByte(nfa, bytes[i].First, bytes[i].Last, at);
            }

            nfa.OnByte(at, bytes[^1].First, bytes[^1].Last, end);
        }

        return end;
    }

    private int AddChoice(Nfa nfa, Expression.Choice choice, int from)
    {
        var end = nfa.NewState();
        foreach (var alternative in choice.Alternatives)
        {
            nfa.OnNothing(Add(nfa, alternative, from), end);
        }

        return end;
    }

    private int AddRepeat(Nfa nfa, Expression.Repeat repeat, int from)
    {
        var copies = repeat.Max ?? repeat.Min;
        if (!_inlines && copies > 3 && (long)copies * Size(repeat.Item) > WrittenOutMax && IsCountable(repeat.Item))
        {
            return AddCounted(nfa, new Expression.Counted(repeat.Item, repeat.Min, repeat.Max), from);
        }

        for (var i = 0; i < repeat.Min; i++)
        {
            from = Add(nfa, repeat.Item, from);
        }

        if (repeat.Max is not { } max)
        {
            var loop = nfa.NewState();
            nfa.OnNothing(from, loop);
            nfa.OnNothing(Add(nfa, repeat.Item, loop), loop);
            return loop;
        }

        var end = nfa.NewState();
        nfa.OnNothing(from, end);
        for (var i = repeat.Min; i < max; i++)
        {
            from = Add(nfa, repeat.Item, from);
            nfa.OnNothing(from, end);
        }

        return end;
    }

    private int AddCounted(Nfa nfa, Expression.Counted counted, int from)
    {
        if (_inlines)
        {
            return AddRepeat(nfa, new Expression.Repeat(counted.Item, counted.Min, counted.Max), from);
        }

        if (counted.Max == 0)
        {
            return from;
        }

        var to = nfa.NewState();
        nfa.OnCall(from, IndexOf(counted), to);
        return to;
    }

    private int AddReference(Nfa nfa, Rule rule, int from)
    {
        if (_inlines)
        {
            return Add(nfa, rule.Body ?? throw new InvalidOperationException($"Rule '{rule.Name}' has no body."), from);
        }

        var to = nfa.NewState();
        nfa.OnCall(from, IndexOf(rule), to);
        return to;
    }

    private static int AddAutomaton(Nfa nfa, Automaton automaton, int from)
    {
        var states = automaton.States.Select(_ => nfa.NewState()).ToArray();
        var end = nfa.NewState();
        nfa.OnNothing(from, states[0]);
        for (var i = 0; i < states.Length; i++)
        {
            foreach (var edge in automaton.States[i].Bytes)
            {
                nfa.OnByte(states[i], edge.First, edge.Last, states[edge.Target]);
            }

            if (automaton.States[i].Accepts)
            {
                nfa.OnNothing(states[i], end);
            }
        }

        return end;
    }

    private int AddGraph(Nfa nfa, Expression.Graph graph, int from)
    {
        var nodes = Enumerable.Range(0, graph.NodeCount).Select(_ => nfa.NewState()).ToArray();
        nfa.OnNothing(from, nodes[0]);
        foreach (var (start, on, to) in graph.Edges)
        {
            nfa.OnNothing(on is null ? nodes[start] : Add(nfa, on, nodes[start]), nodes[to]);
        }

        return nodes[^1];
    }

    /// <summary>States of one copy, about.</summary>
    private static int Size(Expression item) => item switch
    {
        Expression.Bytes bytes => bytes.Value.Length,
        Expression.ByteRange => 1,
        Expression.Characters characters => characters.Set.IsEmpty || characters.Set.Ranges[^1].Last < 0x80 ? 1 : 8,
        _ => WrittenOutMax,
    };

    /// <summary>Whether counting is exact: an item is not empty, and where it may end it does.</summary>
    private static bool IsCountable(Expression item)
    {
        if (item is Expression.Characters or Expression.ByteRange)
        {
            return true;
        }

        try
        {
            var automaton = BuildFlat(item);
            return automaton.IsPrefixFree && !automaton.States[0].Accepts;
        }
        catch (GrammarException)
        {
            return false;
        }
    }
}
