using System.Text;
using Serving.Grammars.Automata;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Json;

/// <summary>The names that an object's properties may have, as automata over texts in quotes.</summary>
internal sealed class SchemaKeys
{
    private readonly Dictionary<string, Automaton> _patterns = [];
    private readonly Automaton? _filter;

    public SchemaKeys(SchemaConstraints constraints, SchemaReader reader)
    {
        foreach (var (pattern, source) in constraints.Objects.SelectMany(part => part.Patterns))
        {
            if (!_patterns.ContainsKey(pattern))
            {
                _patterns.Add(pattern, RuleBuilder.BuildFlat(StringText.Quote(new Expression.Built(StringText.Matching(pattern, source.Path)))));
            }
        }

        _filter = constraints.PropertyNames.Count > 0 ? Filter(constraints.PropertyNames, reader) : null;
    }

    public IReadOnlyCollection<string> Patterns => _patterns.Keys;

    public bool Matches(string pattern, string name) => _patterns[pattern].Accepts(Encoding.UTF8.GetBytes(JsonText.Quoted(name)));

    /// <summary>Whether <c>propertyNames</c> admits a name.</summary>
    public bool Allows(string name) => _filter?.Accepts(Encoding.UTF8.GetBytes(JsonText.Quoted(name))) ?? true;

    /// <summary>Names that one pattern matches and no other, or that none matches, and that are not among some.</summary>
    public Automaton Names(string? pattern, IReadOnlyList<string> except)
    {
        var names = pattern is null ? RuleBuilder.BuildFlat(StringText.Quote(new Expression.Repeat(JsonText.AnyCharacter, 0, null))) : _patterns[pattern];
        names = _filter is null ? names : AutomatonProduct.Intersect(names, _filter);
        foreach (var (other, automaton) in _patterns)
        {
            names = other == pattern ? names : AutomatonProduct.Except(names, automaton);
        }

        return except.Count == 0
            ? names
            : AutomatonProduct.Except(names, Automaton.OfLiterals(except.Select(name => Encoding.UTF8.GetBytes(JsonText.Quoted(name)))));
    }

    private static Automaton Filter(List<SchemaSource> sources, SchemaReader reader)
    {
        var constraints = reader.Read(sources);
        if (constraints.Groups.Count > 0)
        {
            throw new GrammarException(sources[0].Path, "has alternatives; only patterns, lengths, formats and enums of names are held.");
        }

        return constraints.Values is { } values
            ? Automaton.OfLiterals(values.Where(value => SchemaCheck.MayAccept(constraints, value)).Select(value => Encoding.UTF8.GetBytes(JsonText.Write(value))))
            : RuleBuilder.BuildFlat(StringText.Canonical(constraints));
    }
}
