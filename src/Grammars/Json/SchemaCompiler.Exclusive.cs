using System.Text.Json;
using Serving.Grammars.Automata;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Json;

/// <content>
/// <c>oneOf</c>: a value must hold to one branch and to no other. Branches are told apart by kinds, values, ranges, or a property; numbers and strings
/// that cannot be told apart so are taken apart as automata. What is left could satisfy two branches at once, and is refused.
/// </content>
internal sealed partial class SchemaCompiler
{
    private const int ExclusionDepthMax = 6;

    private Expression OneOf(SchemaConstraints constraints, SchemaConstraints.Group group)
    {
        var branches = group.Branches.Select(branch => Merged(constraints, branch)).ToList();
        for (var i = 0; i < branches.Count; i++)
        {
            for (var j = 0; j < branches.Count; j++)
            {
                if (i != j && !Excludes(branches[i], branches[j], 0))
                {
                    return TakeApart(branches) ?? throw new GrammarException(
                        group.Path,
                        $"has the branches {Math.Min(i, j)} and {Math.Max(i, j)}, which one value could satisfy both. Give each a property with a const of its own, or use anyOf.");
                }
            }
        }

        return Expression.Any([.. group.Branches.Select(branch => Branch(constraints, branch))]);
    }

    private SchemaConstraints Merged(SchemaConstraints constraints, SchemaSource branch)
    {
        var merged = constraints.WithoutFirstGroup();
        _reader.Add(merged, _reader.Follow(branch));
        return merged;
    }

    /// <summary>Numbers, or strings, each without what another branch accepts; null where they are something else.</summary>
    private static Expression? TakeApart(List<SchemaConstraints> branches)
    {
        if (branches.Any(branch => branch.Groups.Count > 0 || branch.Values is not null))
        {
            return null;
        }

        Func<SchemaConstraints, Expression>? text =
            branches.All(branch => branch.Kinds == JsonKinds.Integer) ? branch => NumberText.Integer(branch.Min, branch.Max, branch.MultipleOf)
            : branches.All(branch => branch.Kinds == JsonKinds.String) ? StringText.Canonical
            : null;
        if (text is null)
        {
            return null;
        }

        var texts = branches.Select(branch => RuleBuilder.BuildFlat(text(branch))).ToList();
        return Expression.Any([.. texts.Select((own, i) => (Expression)new Expression.Built(
            texts.Where((_, j) => j != i).Aggregate(own, AutomatonProduct.Except)))]);
    }

    /// <summary>Whether no value written for the first constraints holds to the second ones. False where that is not certain.</summary>
    private bool Excludes(SchemaConstraints written, SchemaConstraints valid, int depth)
    {
        if (depth > ExclusionDepthMax)
        {
            return false;
        }

        if (written.Groups.Count > 0)
        {
            return written.Groups[0].Branches.All(branch => Excludes(Merged(written, branch), valid, depth + 1));
        }

        if (valid.Groups.Count > 0)
        {
            return valid.Groups[0].Branches.All(branch => Excludes(written, Merged(valid, branch), depth + 1));
        }

        if (written.Values is { } values)
        {
            return values.All(value => !SchemaCheck.MayAccept(written, value) || !SchemaCheck.MayAccept(valid, value));
        }

        if (valid.Values is { } only)
        {
            return only.All(value => !SchemaCheck.MayAccept(written, value) || !SchemaCheck.MayAccept(valid, value));
        }

        var common = written.Kinds & valid.Kinds;
        return (common & (JsonKinds.Null | JsonKinds.Boolean)) == 0
            && ((common & JsonKinds.Number) == 0 || HaveNoNumberInCommon(written, valid))
            && ((common & JsonKinds.String) == 0 || HaveNoStringInCommon(written, valid))
            && ((common & JsonKinds.Array) == 0 || ExcludesArrays(written, valid, depth))
            && ((common & JsonKinds.Object) == 0 || ExcludesObjects(written, valid, depth));
    }

    private static bool HaveNoNumberInCommon(SchemaConstraints left, SchemaConstraints right)
    {
        static bool IsBelow(NumberBound? max, NumberBound? min) =>
            max is { } upper && min is { } lower && (upper.Value < lower.Value || (upper.Value == lower.Value && (upper.IsExclusive || lower.IsExclusive)));
        return IsBelow(left.Max, right.Min) || IsBelow(right.Max, left.Min);
    }

    private static bool HaveNoStringInCommon(SchemaConstraints left, SchemaConstraints right) =>
        left.MaxLength < right.MinLength || right.MaxLength < left.MinLength
        || (left.Texts.Count > 0 && right.Texts.Count > 0
            && AutomatonProduct.Intersect(RuleBuilder.BuildFlat(StringText.Canonical(left)), RuleBuilder.BuildFlat(StringText.Canonical(right))).IsEmpty);

    private bool ExcludesArrays(SchemaConstraints written, SchemaConstraints valid, int depth)
    {
        if (written.MaxItems < valid.MinItems || valid.MaxItems < written.MinItems)
        {
            return true;
        }

        for (var i = 0; i < Math.Min(written.MinItems, GrammarLimits.NestingMax); i++)
        {
            if (ExcludesAll(written.SourcesOfItem(i), valid.SourcesOfItem(i), depth))
            {
                return true;
            }
        }

        return false;
    }

    private bool ExcludesObjects(SchemaConstraints written, SchemaConstraints valid, int depth)
    {
        var writtenKeys = new SchemaKeys(written, _reader);
        var validKeys = new SchemaKeys(valid, _reader);
        var names = written.DeclaredNames.ToHashSet();
        var neverWritten = written.Objects.Count > 0 && writtenKeys.Patterns.Count == 0
            && written.Objects.All(part => part.Additional is null or { Schema.ValueKind: JsonValueKind.False });
        if (neverWritten && names.Count > 0 && valid.Required.Any(name => !names.Contains(name)))
        {
            return true;
        }

        foreach (var name in written.Required)
        {
            var asked = valid.SourcesOf(name, pattern => validKeys.Matches(pattern, name));
            if (ExcludesAll(written.SourcesOf(name, pattern => writtenKeys.Matches(pattern, name)), asked, depth))
            {
                return true;
            }
        }

        return false;
    }

    private bool ExcludesAll(IReadOnlyList<SchemaSource> written, IReadOnlyList<SchemaSource> valid, int depth) =>
        Excludes(_reader.Read([.. written.Select(_reader.Follow)]), _reader.Read([.. valid.Select(_reader.Follow)]), depth + 1);
}
