using System.Text.Json;
using Serving.Contracts.Internal;

namespace Serving.Grammars;

/// <summary>Makes grammars of the constraints that requests carry between gateway and worker.</summary>
public static class ConstraintGrammar
{
    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false, MaxDepth = GrammarLimits.NestingMax * 2 };

    /// <exception cref="GrammarException">The constraint cannot be held.</exception>
    public static Grammar Of(Constraint constraint) => constraint.KindCase switch
    {
        Constraint.KindOneofCase.JsonSchema => OfSchema(constraint.JsonSchema),
        Constraint.KindOneofCase.JsonObject => Grammar.JsonObject(),
        Constraint.KindOneofCase.Regex => Grammar.Regex(constraint.Regex),
        Constraint.KindOneofCase.Grammar => Grammar.FromText(constraint.Grammar),
        Constraint.KindOneofCase.Literal => Grammar.Literal(constraint.Literal),
        Constraint.KindOneofCase.SpecialToken => Grammar.SpecialToken(constraint.SpecialToken),
        Constraint.KindOneofCase.Sequence => Grammar.Sequence([.. constraint.Sequence.Items.Select(Of)]),
        Constraint.KindOneofCase.Alternatives => OfAlternatives(constraint.Alternatives.Items),
        Constraint.KindOneofCase.FreeText => Grammar.FreeText(
            [.. constraint.FreeText.Triggers.Select(trigger => new GrammarTrigger(trigger.Marker, Of(trigger.Then), trigger.IsSpecialToken))],
            constraint.FreeText.Min,
            constraint.FreeText.HasMax ? constraint.FreeText.Max : null),
        Constraint.KindOneofCase.Repeat => Grammar.Repeat(
            Of(constraint.Repeat.Item), constraint.Repeat.Min, constraint.Repeat.HasMax ? constraint.Repeat.Max : null),
        _ => throw new GrammarException("", "is of a kind that this worker does not know."),
    };

    /// <summary>Literals become one tree of texts; anything else is a choice.</summary>
    private static Grammar OfAlternatives(IReadOnlyList<Constraint> items) => items.All(item => item.KindCase == Constraint.KindOneofCase.Literal)
        ? Grammar.OneOf([.. items.Select(item => item.Literal)])
        : Grammar.Alternatives([.. items.Select(Of)]);

    private static Grammar OfSchema(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, _strict);
            return Grammar.JsonSchema(document.RootElement);
        }
        catch (JsonException exception)
        {
            throw new GrammarException("", $"is not valid JSON: {exception.Message}");
        }
    }
}
