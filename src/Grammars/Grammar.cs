using System.Text;
using System.Text.Json;
using Serving.Grammars.Automata;
using Serving.Grammars.Expressions;
using Serving.Grammars.Json;
using Serving.Grammars.Regex;
using Serving.Grammars.Text;

namespace Serving.Grammars;

/// <summary>
/// What an answer's text may be. Made from one of the forms that clients send, or put together of others: a forced tool call is a literal, a schema and
/// a literal. Immutable; knows no vocabulary (<see cref="CompiledGrammar"/> does).
/// </summary>
public sealed class Grammar
{
    private readonly Lazy<IReadOnlyList<RuleAutomaton>> _rules;

    private Grammar(Expression expression, IEnumerable<string> specialTokens)
    {
        Expression = expression;
        SpecialTokens = specialTokens.ToHashSet();
        _rules = new Lazy<IReadOnlyList<RuleAutomaton>>(() => RuleBuilder.Build(Expression));
    }

    internal Expression Expression { get; }

    /// <summary>Special tokens that it asks for by name.</summary>
    internal IReadOnlySet<string> SpecialTokens { get; }

    internal IReadOnlyList<RuleAutomaton> Rules => _rules.Value;

    /// <summary>Any JSON object, up to twelve levels deep.</summary>
    public static Grammar JsonObject() => Of(FreeJson.AnyObject);

    /// <summary>JSON values that a schema (draft 2020-12 and the older forms of its keywords) accepts; docs/structured-output.md lists what is held and what is refused.</summary>
    /// <exception cref="GrammarException">Its path is that of the keyword that cannot be held.</exception>
    public static Grammar JsonSchema(JsonElement schema) => Of(SchemaCompiler.Compile(schema));

    /// <summary>Texts that a regular expression (ECMA 262 without back references and look-around) matches from end to end.</summary>
    /// <exception cref="GrammarException">It cannot be read, or is too large.</exception>
    public static Grammar Regex(string pattern) => Of(RegexParser.Parse(pattern, RegexTarget.PlainText));

    /// <summary>One of some texts.</summary>
    /// <exception cref="GrammarException">There is none, or one is empty.</exception>
    public static Grammar OneOf(IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
        {
            throw new GrammarException("", "has no choice: give at least one text.");
        }

        if (texts.Count > GrammarLimits.EnumValuesMax)
        {
            throw new GrammarException("", $"has {texts.Count} choices; at most {GrammarLimits.EnumValuesMax} are allowed.");
        }

        for (var i = 0; i < texts.Count; i++)
        {
            if (texts[i].Length == 0)
            {
                throw new GrammarException($"[{i}]", "is empty: a choice has at least one character.");
            }
        }

        return Of(Expression.AnyLiteral(texts.Select(Encoding.UTF8.GetBytes)));
    }

    /// <summary>A grammar in GBNF (llama.cpp's form, whose rules have <c>::=</c>) or in a subset of Lark's (whose rules have <c>:</c>).</summary>
    /// <exception cref="GrammarException">It cannot be read, is too large, or recurses on the left.</exception>
    public static Grammar FromText(string text)
    {
        if (text.Length > GrammarLimits.SourceLengthMax)
        {
            throw new GrammarException("", $"is {text.Length} characters long; at most {GrammarLimits.SourceLengthMax} are allowed.");
        }

        return Of(text.Contains("::=", StringComparison.Ordinal) ? GbnfParser.Parse(text) : LarkParser.Parse(text));
    }

    /// <summary>A text as it is.</summary>
    public static Grammar Literal(string text) => Of(Expression.Literal(text));

    /// <summary>A special token of the model, by how it is written: <c>[TOOL_CALLS]</c>.</summary>
    public static Grammar SpecialToken(string name) => new(new Expression.Bytes(TokenVocabulary.SpecialKey(name)), [name]);

    /// <summary>One after the other.</summary>
    public static Grammar Sequence(params IReadOnlyList<Grammar> parts) => new(Expression.All([.. parts.Select(part => part.Expression)]), Specials(parts));

    /// <summary>One of several.</summary>
    public static Grammar Alternatives(params IReadOnlyList<Grammar> parts) => new(Expression.Any([.. parts.Select(part => part.Expression)]), Specials(parts));

    /// <summary>So many of one after the other; <paramref name="max"/> null: without end.</summary>
    public static Grammar Repeat(Grammar item, int min, int? max) => new(new Expression.Repeat(item.Expression, min, max), item.SpecialTokens);

    /// <summary>
    /// Free text in which a marker may come at any place, after which what belongs to that marker has to come, then free text again: a model that may call
    /// tools, and then must call them well. Markers are texts, or special tokens.
    /// </summary>
    /// <param name="triggers">Each marker with what follows it. No marker occurs within another.</param>
    /// <param name="min">Markers that have to come before the text may end.</param>
    /// <param name="max">Markers after which the text has to end; null: any number.</param>
    /// <exception cref="GrammarException">Markers that are empty or lie within one another.</exception>
    public static Grammar FreeText(IReadOnlyList<GrammarTrigger> triggers, int min = 0, int? max = null) => new(
        FreeTextBuilder.Build(triggers, min, max),
        Specials([.. triggers.Select(trigger => trigger.Then)]).Concat(triggers.Where(trigger => trigger.IsSpecialToken).Select(trigger => trigger.Marker)));

    /// <summary>Finds every mistake that needs no vocabulary to be seen, such as recursion without an end. A constraint that passes is kept built.</summary>
    /// <exception cref="GrammarException">There is one.</exception>
    public void Check() => GrammarProgram.Link(Rules, static _ => true);

    private static Grammar Of(Expression expression) => new(expression, []);

    private static IEnumerable<string> Specials(IReadOnlyList<Grammar> parts) => parts.SelectMany(part => part.SpecialTokens);
}
