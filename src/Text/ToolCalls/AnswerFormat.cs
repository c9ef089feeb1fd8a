using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Serving.Text.Tokenization;
using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls;

/// <summary>How one model writes reasoning and tool calls: a form, and which of its markers are special tokens of this model. Immutable.</summary>
public sealed class AnswerFormat
{
    /// <summary>The form for models whose own is not known; their prompts ask for it.</summary>
    public const string DefaultName = "hermes";

    /// <summary>Chosen by the operator: answers are text, whatever they look like.</summary>
    public const string NoneName = "none";

    private const string IdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private readonly AnswerForm? _form;
    private readonly FrozenDictionary<int, int> _markerOfToken;
    private readonly ImmutableArray<int> _spelled;

    internal AnswerFormat(AnswerForm? form, Func<string, int?> findSpecial, bool thinks, string? template = null)
    {
        _form = form;
        Syntax = form?.Syntax(template);
        Thinks = thinks && form is not null;
        Dictionary<int, int> tokens = [];
        List<int> spelled = [];
        for (int marker = 0; marker < (form?.Markers.Length ?? 0); marker++)
        {
            if (findSpecial(form!.Markers[marker]) is { } token)
            {
                // The characters that spell it are no marker then: a model that speaks of the marker writes those.
                tokens.Add(token, marker);
            }
            else
            {
                spelled.Add(marker);
            }
        }

        _markerOfToken = tokens.ToFrozenDictionary();
        _spelled = [.. spelled];
    }

    /// <summary>The names of all forms, and the one that means none.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. AnswerForm.All.Select(form => form.Name), NoneName];

    public string Name => _form?.Name ?? NoneName;

    /// <summary>Whether the model thinks before it answers, between markers.</summary>
    public bool Thinks { get; }

    /// <summary>How the model writes calls; null where a grammar cannot hold it to that.</summary>
    public CallSyntax? Syntax { get; }

    /// <summary>What stands before the model's thinking, and what after it before it answers; null where it does not think.</summary>
    public (string Begin, string End)? Reasoning => Thinks || _form?.IsNeededAlways == true ? (_form!.ReasoningBegin, _form.ReasoningEnd) : null;

    /// <summary>Whether calls are taken out of answers.</summary>
    public bool HasCalls => _form is not null;

    /// <summary>The format of a model, by the signs in its chat template, then by its special tokens.</summary>
    /// <param name="name">One of <see cref="Names"/>: the operator knows better. Null: what the signs say, <see cref="DefaultName"/> where there are none.</param>
    /// <exception cref="ArgumentException">No form has the name.</exception>
    public static AnswerFormat Of(ITokenizer tokenizer, string? template, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        AnswerForm? form = name switch
        {
            null => Find(sign => template?.Contains(sign, StringComparison.Ordinal) == true)
                ?? Find(sign => tokenizer.FindSpecial(sign) is not null)
                ?? Named(DefaultName),
            NoneName => null,
            _ => Named(name) ?? throw new ArgumentException($"There is no tool parser '{name}'; there are {string.Join(", ", Names)}.", nameof(name)),
        };
        bool thinks = form is not null
            && (template?.Contains(form.ReasoningBegin, StringComparison.Ordinal) == true || tokenizer.FindSpecial(form.ReasoningBegin) is not null);
        return new AnswerFormat(form, tokenizer.FindSpecial, thinks, template);
    }

    /// <summary>A text in pieces: those that are special tokens of this model, and what stands between them.</summary>
    public IReadOnlyList<(string Text, bool IsSpecialToken)> Split(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] special = [.. _markerOfToken.Values.Select(marker => _form!.Markers[marker])];
        List<(string, bool)> pieces = [];
        for (int start = 0, at = 0; at <= text.Length; at++)
        {
            string? marker = at < text.Length ? Array.Find(special, marker => text.AsSpan(at).StartsWith(marker, StringComparison.Ordinal)) : "";
            if (marker is null)
            {
                continue;
            }

            if (at > start)
            {
                pieces.Add((text[start..at], false));
            }

            if (marker.Length > 0)
            {
                pieces.Add((marker, true));
                at += marker.Length - 1;
            }

            start = at + 1;
        }

        return pieces;
    }

    /// <summary>The marker that a special token is, or null.</summary>
    public int? FindMarker(int token) => _markerOfToken.TryGetValue(token, out int marker) ? marker : null;

    /// <summary>Whether a prompt ends inside of the model's thinking, because the template has opened it.</summary>
    public bool EndsInReasoning(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Thinks && prompt.AsSpan().TrimEnd().EndsWith(_form!.ReasoningBegin, StringComparison.Ordinal);
    }

    /// <summary>A parser for one answer; null where every such answer is text as it is.</summary>
    public AnswerParser? CreateParser(AnswerParserOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (_form is null || !(Thinks || _form.IsNeededAlways || options.Functions.Count > 0))
        {
            return null;
        }

        AnswerReader input = new(_form.Markers, _spelled);
        AnswerWriter output = new();
        return new AnswerParser(input, output, _form.Create(input, output, options).ReadAsync);
    }

    /// <summary>A new id for a call, such as the model's chat template takes.</summary>
    public string NewCallId() => _form?.HasShortIds == true
        ? RandomNumberGenerator.GetString(IdAlphabet, 9)
        : $"call_{RandomNumberGenerator.GetString(IdAlphabet, 24)}";

    private static AnswerForm? Find(Predicate<string> hasSign) => AnswerForm.All.FirstOrDefault(form => form.Signs.Any(sign => hasSign(sign)));

    private static AnswerForm? Named(string name) => AnswerForm.All.FirstOrDefault(form => form.Name == name);
}
