using Serving.Grammars.Automata;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Json;

/// <content>Objects: declared properties in their order, then others.</content>
internal sealed partial class SchemaCompiler
{
    private const int CountedPropertiesMax = 200;

    private Expression Object(SchemaConstraints constraints)
    {
        var names = constraints.DeclaredNames.ToList();
        if (names.Count == 0 && constraints.Objects.Count == 0 && constraints is { MinProperties: 0, MaxProperties: null, PropertyNames.Count: 0 })
        {
            return FreeJson.AnyObject;
        }

        var keys = new SchemaKeys(constraints, _reader);
        var others = Others(constraints, keys, names);
        return Expression.All(Expression.Literal("{"), Members(constraints, keys, names, others), Expression.Literal("}"));
    }

    /// <summary>
    /// A node for each place among the declared properties and each number of those that are there, as far as the number matters: to the comma, or to the
    /// bounds of how many there may be.
    /// </summary>
    private Expression.Graph Members(SchemaConstraints constraints, SchemaKeys keys, List<string> names, Expression? others)
    {
        var (min, max) = (constraints.MinProperties, constraints.MaxProperties);
        CheckBounds(constraints, names, others);
        var counts = min <= 1 && (max is null || (max >= names.Count && others is null)) ? 1 : Math.Min(names.Count, Math.Max(min, max ?? 0) + 1);
        counts = Math.Max(1, counts);
        if (names.Count > CountedPropertiesMax && counts > 1)
        {
            throw new GrammarException(constraints.Path, $"counts its properties, of which it declares {names.Count}; at most {CountedPropertiesMax} can be counted.");
        }

        int Node(int place, int count) => (place * (counts + 1)) + Math.Min(count, counts);
        var closed = Node(names.Count, counts) + 1;
        var edges = new List<(int From, Expression? On, int To)>();
        var required = constraints.Required.ToHashSet();
        for (var place = 0; place < names.Count; place++)
        {
            var member = Member(constraints, keys, names[place]);
            for (var count = 0; count <= Math.Min(place, counts); count++)
            {
                edges.Add((Node(place, count), count == 0 ? member : Expression.All(FreeJson.Comma, member), Node(place + 1, count + 1)));
                if (!required.Contains(names[place]))
                {
                    edges.Add((Node(place, count), null, Node(place + 1, count)));
                }
            }
        }

        for (var count = 0; count <= Math.Min(names.Count, counts); count++)
        {
            edges.Add((Node(names.Count, count), End(min - count, max - count, count > 0, others), closed));
        }

        return new Expression.Graph(closed + 1, edges);
    }

    /// <summary>Properties that are not declared, as many as have to and may come.</summary>
    private static Expression End(int min, int? max, bool hasSome, Expression? others)
    {
        if (max < 0 || (others is null && min > 0))
        {
            return Expression.Impossible;
        }

        if (others is null || max == 0)
        {
            return min > 0 ? Expression.Impossible : Expression.Nothing;
        }

        var further = Expression.All(FreeJson.Comma, others);
        if (hasSome)
        {
            return new Expression.Counted(further, Math.Max(0, min), max);
        }

        var some = Expression.All(others, new Expression.Counted(further, Math.Max(0, min - 1), max - 1));
        return min <= 0 ? Expression.Optional(some) : some;
    }

    /// <summary>A name that comes twice counts once, and no automaton remembers names: only one property can be relied on to be new.</summary>
    private static void CheckBounds(SchemaConstraints constraints, List<string> names, Expression? others)
    {
        var certain = constraints.Required.Distinct().Count();
        if (others is not null && constraints.MinProperties > certain + 1)
        {
            throw new GrammarException(
                $"{constraints.Path}.minProperties",
                $"asks for {constraints.MinProperties} properties where names are free: the same name could come twice. Declare the properties, or require at most {certain + 1}.");
        }

        if (others is null && constraints.MinProperties > names.Count)
        {
            throw new GrammarException($"{constraints.Path}.minProperties", $"asks for {constraints.MinProperties} properties, and only {names.Count} may be there.");
        }
    }

    private Expression Member(SchemaConstraints constraints, SchemaKeys keys, string name)
    {
        var isAllowed = keys.Allows(name);
        var sources = constraints.SourcesOf(name, pattern => keys.Matches(pattern, name));
        return isAllowed
            ? Expression.All(Expression.Literal(JsonText.Quoted(name)), FreeJson.Colon, sources.Count > 0 ? Value(sources) : FreeJson.AnyValue)
            : Expression.Impossible;
    }

    /// <summary>Properties that are not declared; null: there are none.</summary>
    private Expression? Others(SchemaConstraints constraints, SchemaKeys keys, List<string> names)
    {
        var ways = new List<Expression>();
        foreach (var pattern in keys.Patterns)
        {
            // A name that several patterns match is left out: what it asks for would have to be merged for each set of them.
            var own = constraints.SourcesOfOthers(other => other == pattern);
            ways.Add(Other(keys.Names(pattern, names), own));
        }

        var isOpen = constraints.Objects.Any(part => part.Additional is { Schema.ValueKind: not System.Text.Json.JsonValueKind.False })
            || (names.Count == 0 && keys.Patterns.Count == 0);
        var rest = constraints.SourcesOfOthers(_ => false);
        if (isOpen && rest.All(source => source.Schema.ValueKind != System.Text.Json.JsonValueKind.False))
        {
            ways.Add(Other(keys.Names(null, names), rest));
        }

        ways.RemoveAll(way => way == Expression.Impossible);
        return ways.Count == 0 ? null : Expression.Any(ways);
    }

    private Expression Other(Automaton names, IReadOnlyList<SchemaSource> sources) => names.IsEmpty
        ? Expression.Impossible
        : Expression.All(new Expression.Built(names), FreeJson.Colon, sources.Count > 0 ? Value(sources) : FreeJson.AnyValue);
}
