using System.Text;
using Serving.Text.ToolCalls;

namespace Serving.Text.Tests.ToolCalls;

/// <summary>What a parser made of an answer, however it was cut.</summary>
internal sealed class Answers
{
    private readonly StringBuilder _content = new();
    private readonly StringBuilder _reasoning = new();
    private readonly List<(string Name, StringBuilder Arguments)> _calls = [];

    public string Content => _content.ToString();

    public string Reasoning => _reasoning.ToString();

    public IEnumerable<(string Name, string Arguments)> Calls => _calls.Select(call => (call.Name, call.Arguments.ToString()));

    /// <summary>One line that says all, for comparing.</summary>
    public override string ToString() =>
        $"reasoning[{Reasoning}] content[{Content}] {string.Join(" ", Calls.Select(call => $"{call.Name}[{call.Arguments}]"))}".TrimEnd();

    /// <summary>Parses an answer that is cut at these places.</summary>
    /// <param name="special">Markers that come as special tokens; what spells them is text.</param>
    public static Answers Parse(string form, string text, IEnumerable<int> cuts, AnswerParserOptions options, IReadOnlyList<string>? special = null)
    {
        AnswerFormat format = Format(form, special ?? []);
        AnswerParser parser = format.CreateParser(options)!;
        Answers answers = new();
        List<AnswerDelta> deltas = [];
        int start = 0;
        foreach (int cut in cuts.Append(text.Length))
        {
            answers.Feed(parser, format, text[start..cut], special ?? [], deltas);
            answers.Add(deltas);
            start = cut;
        }

        parser.Finish(deltas);
        answers.Add(deltas);
        return answers;
    }

    public static AnswerFormat Format(string form, IReadOnlyList<string> special, string? template = null) => new(
        AnswerForm.All.Single(known => known.Name == form),
        text => special.ToList().IndexOf(text) is var index and >= 0 ? index : null,
        thinks: true,
        template);

    /// <summary>A piece, with the special tokens in it as such.</summary>
    private void Feed(AnswerParser parser, AnswerFormat format, string piece, IReadOnlyList<string> special, List<AnswerDelta> deltas)
    {
        while (piece.Length > 0)
        {
            (int at, string marker) = special
                .Select(text => (At: piece.IndexOf(text, StringComparison.Ordinal), text))
                .Where(found => found.At >= 0)
                .OrderBy(found => found.At)
                .FirstOrDefault((piece.Length, ""));
            parser.Append(piece.AsSpan(0, at), deltas);
            if (marker.Length > 0)
            {
                parser.AppendMarker(format.FindMarker(special.ToList().IndexOf(marker))!.Value, deltas);
            }

            piece = piece[(at + marker.Length)..];
        }
    }

    private void Add(List<AnswerDelta> deltas)
    {
        foreach (AnswerDelta delta in deltas)
        {
            Assert.NotEmpty(delta.Text);
            switch (delta.Kind)
            {
                case AnswerDeltaKind.Content:
                    _content.Append(delta.Text);
                    break;
                case AnswerDeltaKind.Reasoning:
                    _reasoning.Append(delta.Text);
                    break;
                case AnswerDeltaKind.CallName:
                    Assert.Equal(_calls.Count, delta.Call);
                    _calls.Add((delta.Text, new StringBuilder()));
                    break;
                default:
                    // Pieces of one call after the other, never mixed.
                    Assert.Equal(_calls.Count - 1, delta.Call);
                    _calls[delta.Call].Arguments.Append(delta.Text);
                    break;
            }
        }

        deltas.Clear();
    }
}
