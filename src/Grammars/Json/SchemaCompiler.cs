using System.Text.Json;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Json;

/// <summary>
/// Makes a grammar of a JSON schema. Every text of the grammar is a value that the schema accepts; not every accepted value has a text in it: properties come
/// in the order of their declaration, and an object that declares properties has no others unless <c>additionalProperties</c> says so.
/// </summary>
internal sealed partial class SchemaCompiler
{
    private readonly SchemaReader _reader;
    private readonly Dictionary<string, Rule> _rules = [];
    private int _depth;
    private int _branches;

    private SchemaCompiler(SchemaReader reader) => _reader = reader;

    /// <exception cref="GrammarException">Its path is that of the keyword that cannot be held.</exception>
    public static Expression Compile(JsonElement schema)
    {
        if (schema.GetRawText().Length > GrammarLimits.SourceLengthMax)
        {
            throw new GrammarException("", $"is {schema.GetRawText().Length} characters long; at most {GrammarLimits.SourceLengthMax} are allowed.");
        }

        try
        {
            return new SchemaCompiler(new SchemaReader(schema)).Value([new SchemaSource(schema, "")]);
        }
        catch (InvalidOperationException exception) when (exception.InnerException is System.Text.DecoderFallbackException || exception.Message.Contains("surrogate", StringComparison.OrdinalIgnoreCase))
        {
            throw new GrammarException("", "has half of a surrogate pair in a text: it is no valid Unicode.");
        }
    }

    /// <summary>Values that hold to some schemas. Each set of schemas becomes one rule, so that what is referred to twice, by itself too, is there once.</summary>
    private Expression Value(IReadOnlyList<SchemaSource> sources)
    {
        var followed = sources.Select(_reader.Follow).DistinctBy(source => source.Path).ToList();
        var key = string.Join('&', followed.Select(source => source.Path));
        if (_rules.TryGetValue(key, out var known))
        {
            return known.Reference;
        }

        if (++_depth > GrammarLimits.NestingMax)
        {
            throw new GrammarException(key, $"nests more than {GrammarLimits.NestingMax} deep.");
        }

        var rule = new Rule(key);
        _rules.Add(key, rule);
        rule.Body = Body(_reader.Read(followed));
        _depth--;
        return rule.Reference;
    }

    private Expression Body(SchemaConstraints constraints)
    {
        if (constraints.Groups.Count == 0)
        {
            return Plain(constraints);
        }

        var group = constraints.Groups[0];
        _branches += group.Branches.Count;
        if (_branches > GrammarLimits.SchemasMax)
        {
            throw new GrammarException(group.Path, "has too many branches once all are multiplied out.");
        }

        if (group.IsExclusive && group.Branches.Count > 1)
        {
            return OneOf(constraints, group);
        }

        return Expression.Any([.. group.Branches.Select(branch => Branch(constraints, branch))]);
    }

    /// <summary>Values that hold to one branch of the first group, and to all else.</summary>
    private Expression Branch(SchemaConstraints constraints, SchemaSource branch)
    {
        if (constraints.IsOneGroup)
        {
            return Value([branch]);
        }

        var merged = constraints.WithoutFirstGroup();
        _reader.Add(merged, branch);
        return Body(merged);
    }

    /// <summary>Values of constraints without alternatives.</summary>
    private Expression Plain(SchemaConstraints constraints)
    {
        if (constraints.Values is { } values)
        {
            return Expression.AnyLiteral(values.Where(value => SchemaCheck.MayAccept(constraints, value)).Select(value => System.Text.Encoding.UTF8.GetBytes(JsonText.Write(value))));
        }

        var ways = new List<Expression>();
        void Add(JsonKinds kind, Func<Expression> way)
        {
            if ((constraints.Kinds & kind) != 0)
            {
                ways.Add(way());
            }
        }

        Add(JsonKinds.Object, () => Object(constraints));
        Add(JsonKinds.Array, () => Array(constraints));
        Add(JsonKinds.String, () => StringText.Of(constraints));
        Add(JsonKinds.Number, () => Number(constraints));
        Add(JsonKinds.Boolean, () => Expression.Any(Expression.Literal("true"), Expression.Literal("false")));
        Add(JsonKinds.Null, () => Expression.Literal("null"));
        return Expression.Any(ways);
    }

    private static Expression Number(SchemaConstraints constraints)
    {
        if ((constraints.Kinds & JsonKinds.Fraction) == 0)
        {
            return NumberText.Integer(constraints.Min, constraints.Max, constraints.MultipleOf);
        }

        return constraints.Min is null && constraints.Max is null ? FreeJson.Number : NumberText.Decimal(constraints.Min, constraints.Max);
    }

    private Expression Array(SchemaConstraints constraints)
    {
        var (min, max) = (constraints.MinItems, constraints.MaxItems);
        var prefix = constraints.Arrays.Select(part => part.Prefix.Count).DefaultIfEmpty(0).Max();
        if (prefix == 0 && max != 0 && constraints.SourcesOfItem(0).Count == 0 && min == 0 && max is null)
        {
            return FreeJson.AnyArray;
        }

        // Node i: i items are there. The last but one node: all that have a schema of their own; the last: the array is closed.
        var edges = new List<(int From, Expression? On, int To)>();
        var closed = prefix + 2;
        for (var i = 0; i < prefix && (max is null || i < max); i++)
        {
            edges.Add((i, Expression.All(i == 0 ? Expression.Nothing : FreeJson.Comma, Item(constraints, i)), i + 1));
        }

        for (var i = min; i < prefix && (max is null || i <= max); i++)
        {
            edges.Add((i, null, closed));
        }

        if (max is null || max >= prefix)
        {
            edges.Add((prefix, Rest(constraints, prefix, Math.Max(0, min - prefix), max - prefix), closed));
        }

        return Expression.All(Expression.Literal("["), new Expression.Graph(closed + 1, edges), Expression.Literal("]"));
    }

    /// <summary>The items after those that have schemas of their own.</summary>
    private Expression Rest(SchemaConstraints constraints, int prefix, int min, int? max)
    {
        if (max == 0)
        {
            return min == 0 ? Expression.Nothing : Expression.Impossible;
        }

        var item = Item(constraints, prefix);
        var further = Expression.All(FreeJson.Comma, item);
        if (prefix > 0)
        {
            return new Expression.Counted(further, min, max);
        }

        var some = Expression.All(item, new Expression.Counted(further, Math.Max(0, min - 1), max - 1));
        return min == 0 ? Expression.Optional(some) : some;
    }

    private Expression Item(SchemaConstraints constraints, int index) =>
        constraints.SourcesOfItem(index) is { Count: > 0 } sources ? Value(sources) : FreeJson.AnyValue;
}
