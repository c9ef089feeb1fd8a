using System.Text.Json;

namespace Serving.Grammars.Json;

/// <summary>What one or several schemas together ask of a value.</summary>
internal sealed class SchemaConstraints
{
    /// <summary>Schemas of which one (<c>oneOf</c>) or any (<c>anyOf</c>) has to hold.</summary>
    public sealed record Group(bool IsExclusive, IReadOnlyList<SchemaSource> Branches, string Path);

    /// <summary>The object keywords of one schema: its additionalProperties are those that its own lists do not have.</summary>
    public sealed record ObjectPart(
        IReadOnlyDictionary<string, SchemaSource> Properties, IReadOnlyList<(string Pattern, SchemaSource Source)> Patterns, SchemaSource? Additional);

    /// <summary>The array keywords of one schema.</summary>
    public sealed record ArrayPart(IReadOnlyList<SchemaSource> Prefix, SchemaSource? Items);

    public SchemaConstraints(string path) => Path = path;

    private SchemaConstraints(SchemaConstraints other)
    {
        Path = other.Path;
        Kinds = other.Kinds;
        Values = other.Values;
        Min = other.Min;
        Max = other.Max;
        MultipleOf = other.MultipleOf;
        MinLength = other.MinLength;
        MaxLength = other.MaxLength;
        MinItems = other.MinItems;
        MaxItems = other.MaxItems;
        MinProperties = other.MinProperties;
        MaxProperties = other.MaxProperties;
        Texts.AddRange(other.Texts);
        Groups.AddRange(other.Groups);
        Objects.AddRange(other.Objects);
        Arrays.AddRange(other.Arrays);
        PropertyNames.AddRange(other.PropertyNames);
        Required.AddRange(other.Required);
    }

    public string Path { get; }

    public JsonKinds Kinds { get; set; } = JsonKinds.All;

    /// <summary>The only values; null: not limited so.</summary>
    public IReadOnlyList<JsonElement>? Values { get; set; }

    public NumberBound? Min { get; set; }

    public NumberBound? Max { get; set; }

    /// <summary>0: of none.</summary>
    public long MultipleOf { get; set; }

    public int MinLength { get; set; }

    public int? MaxLength { get; set; }

    /// <summary>Patterns and formats of strings, and where they stand.</summary>
    public List<(string Regex, bool IsFormat, string Path)> Texts { get; } = [];

    public int MinItems { get; set; }

    public int? MaxItems { get; set; }

    public List<ArrayPart> Arrays { get; } = [];

    public int MinProperties { get; set; }

    public int? MaxProperties { get; set; }

    public List<ObjectPart> Objects { get; } = [];

    public List<SchemaSource> PropertyNames { get; } = [];

    public List<string> Required { get; } = [];

    public List<Group> Groups { get; } = [];

    /// <summary>Whether nothing but one group is asked.</summary>
    public bool IsOneGroup =>
        Groups.Count == 1 && Kinds == JsonKinds.All && Values is null && Min is null && Max is null && MultipleOf == 0 && MinLength == 0 && MaxLength is null
        && Texts.Count == 0 && MinItems == 0 && MaxItems is null && Arrays.Count == 0 && MinProperties == 0 && MaxProperties is null && Objects.Count == 0
        && PropertyNames.Count == 0 && Required.Count == 0;

    public SchemaConstraints WithoutFirstGroup()
    {
        var copy = new SchemaConstraints(this);
        copy.Groups.RemoveAt(0);
        return copy;
    }

    /// <summary>Names that some schema declares, in their order.</summary>
    public IEnumerable<string> DeclaredNames => Objects.SelectMany(part => part.Properties.Keys).Concat(Required).Distinct();

    /// <summary>What is asked of the property of a name.</summary>
    /// <param name="matches">Whether a pattern matches the name.</param>
    public IReadOnlyList<SchemaSource> SourcesOf(string name, Func<string, bool> matches) =>
        [.. Objects.SelectMany(part => SourcesOf(part, part.Properties.TryGetValue(name, out var own) ? own : null, matches))];

    /// <summary>What is asked of properties that are not declared, and match certain patterns.</summary>
    public IReadOnlyList<SchemaSource> SourcesOfOthers(Func<string, bool> matches) => [.. Objects.SelectMany(part => SourcesOf(part, null, matches))];

    /// <summary>What is asked of the item at an index.</summary>
    public IReadOnlyList<SchemaSource> SourcesOfItem(int index) =>
        [.. Arrays.Select(part => index < part.Prefix.Count ? part.Prefix[index] : part.Items).OfType<SchemaSource>()];

    private static List<SchemaSource> SourcesOf(ObjectPart part, SchemaSource? own, Func<string, bool> matches)
    {
        var asked = part.Patterns.Where(pattern => matches(pattern.Pattern)).Select(pattern => pattern.Source).ToList();
        if (own is { } source)
        {
            asked.Add(source);
        }

        if (asked.Count == 0 && part.Additional is { } additional)
        {
            asked.Add(additional);
        }

        return asked;
    }
}
