namespace Serving.Grammars;

/// <summary>What bounds a constraint, so that a hostile one costs little and is refused clearly.</summary>
internal static class GrammarLimits
{
    /// <summary>Characters of a constraint's text, a schema's JSON included.</summary>
    public const int SourceLengthMax = 1 << 18;

    /// <summary>States of one rule's automaton before and after it is made deterministic.</summary>
    public const int RuleStatesMax = 20_000;

    /// <summary>States of all rules together.</summary>
    public const int StatesMax = 200_000;

    /// <summary>Nesting of groups, rules' expressions and schemas.</summary>
    public const int NestingMax = 64;

    /// <summary>The largest count of a repetition that is written out.</summary>
    public const int RepetitionMax = 100_000;

    /// <summary>Schemas that one schema becomes when its <c>anyOf</c>, <c>oneOf</c> and <c>allOf</c> are multiplied out.</summary>
    public const int BranchesMax = 512;

    /// <summary>Values of all enums together.</summary>
    public const int EnumValuesMax = 10_000;

    /// <summary>Subschemas read, those reached again through <c>$ref</c> counted again.</summary>
    public const int SchemasMax = 20_000;

    /// <summary>How deep a value that a schema leaves open may nest.</summary>
    public const int FreeJsonDepth = 12;
}
