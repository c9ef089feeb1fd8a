using System.Collections.Frozen;
using System.Diagnostics;
using System.Text;
using Serving.Text.ToolCalls;

namespace Serving.Text.Tests.ToolCalls;

public sealed class AnswerParserTests
{
    private const int PairsLengthMax = 160;

    private static readonly AnswerParserOptions _options = new() { Functions = Transcripts.Functions.ToFrozenSet() };

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, Transcripts.All.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Takes_an_answer_apart_wherever_it_is_cut(int row)
    {
        (string form, string text, string expected) = Transcripts.All[row];

        Assert.Equal(expected, Answers.Parse(form, text, [], _options).ToString());
        Assert.Equal(expected, Answers.Parse(form, text, Enumerable.Range(1, Math.Max(0, text.Length - 1)), _options).ToString());
        for (int cut = 0; cut <= text.Length; cut++)
        {
            Assert.Equal(expected, Answers.Parse(form, text, [cut], _options).ToString());
        }

        for (int first = 0; text.Length <= PairsLengthMax && first <= text.Length; first++)
        {
            for (int second = first; second <= text.Length; second++)
            {
                string parsed = Answers.Parse(form, text, [first, second], _options).ToString();
                Assert.True(parsed == expected, $"cut at {first} and {second}: {parsed}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Special_tokens_mark_as_text_does(int row)
    {
        (string form, string text, string expected) = Transcripts.All[row];
        IReadOnlyList<string> special = Transcripts.Special(form);
        bool[] isInside = new bool[text.Length + 1];
        foreach (string marker in special)
        {
            for (int at = text.IndexOf(marker, StringComparison.Ordinal); at >= 0; at = text.IndexOf(marker, at + 1, StringComparison.Ordinal))
            {
                isInside.AsSpan(at + 1, marker.Length - 1).Fill(true);
            }
        }

        foreach (int cut in Enumerable.Range(0, text.Length + 1).Where(cut => !isInside[cut]))
        {
            Assert.Equal(expected, Answers.Parse(form, text, [cut], _options, special).ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Never_throws_and_never_loses_text_of_an_answer_that_is_cut_off(int row)
    {
        (string form, string text, _) = Transcripts.All[row];
        for (int length = 0; length <= text.Length; length++)
        {
            AssertNothingLost(form, text[..length], Answers.Parse(form, text[..length], [], _options));
        }
    }

    [Fact]
    public void Without_functions_nothing_is_a_call()
    {
        foreach ((string form, string text, _) in Transcripts.All.Where(row => row.Form != "harmony"))
        {
            Assert.Empty(Answers.Parse(form, text, [], new AnswerParserOptions()).Calls);
        }

        const string answer = "<tool_call>{\"name\": \"now\"}</tool_call>";
        Assert.Equal(answer, Answers.Parse("hermes", answer, [], new AnswerParserOptions()).Content);
    }

    [Fact]
    public void An_answer_of_a_single_call_is_over_with_it()
    {
        AnswerParserOptions single = _options with { SingleCall = true };
        foreach ((string form, string text, string expected) in Transcripts.All)
        {
            for (int cut = 0; cut <= text.Length; cut++)
            {
                Answers answers = Answers.Parse(form, text, [cut], single);
                Assert.Equal(Answers.Parse(form, text, [], _options).Calls.Take(1), answers.Calls);
            }
        }
    }

    [Fact]
    public void A_prompt_that_opened_the_thinking_is_gone_on_with()
    {
        AnswerParserOptions inside = _options with { StartsInReasoning = true };
        Assert.Equal("reasoning[Hm.] content[] now[{}]", Answers.Parse("hermes", "Hm.\n</think>\n\n<tool_call>{\"name\": \"now\"}</tool_call>", [], inside).ToString());
        Assert.Equal("reasoning[Hm.] content[Yes.]", Answers.Parse("deepseek_v3", "\nHm.</think>Yes.", [], inside).ToString());
    }

    /// <summary>What a grammar holds a model to is what its parser reads.</summary>
    [Theory]
    [InlineData("hermes", null)]
    [InlineData("llama3_json", null)]
    [InlineData("mistral", null)]
    [InlineData("mistral", "[TOOL_CALLS] [{ calls }]")]
    [InlineData("deepseek_v3", null)]
    [InlineData("deepseek_v3", "```json")]
    [InlineData("harmony", null)]
    public void Calls_in_a_forms_own_syntax_are_read(string form, string? template)
    {
        AnswerFormat format = Answers.Format(form, Transcripts.Special(form), template);
        CallSyntax syntax = format.Syntax!;
        string first = $$"""{{syntax.BeforeName}}add{{syntax.BeforeArguments}}{"a": "}"}{{syntax.AfterArguments}}""";
        string second = $"{syntax.Separator}{syntax.BeforeName}now{syntax.BeforeArguments}{{}}{syntax.AfterArguments}";
        string answer = syntax.Begin + first + (syntax.Separator is null ? "" : second) + syntax.End;
        string thought = format.Reasoning is { } reasoning ? $"{reasoning.Begin}Hm.{reasoning.End}" : "";

        Assert.Equal(
            $$"""reasoning[Hm.] content[] add[{"a": "}"}]{{(syntax.Separator is null ? "" : " now[{}]")}}""",
            Answers.Parse(form, thought + answer, [], _options, Transcripts.Special(form)).ToString());
        Assert.Equal(answer, string.Concat(format.Split(answer).Select(piece => piece.Text)));
        Assert.All(format.Split(answer), piece => Assert.Equal(Transcripts.Special(form).Contains(piece.Text), piece.IsSpecialToken));
    }

    [Fact]
    public void Special_markers_that_are_spelled_out_are_text()
    {
        IReadOnlyList<string> special = Transcripts.Special("mistral");
        AnswerFormat format = Answers.Format("mistral", special);
        AnswerParser parser = format.CreateParser(_options)!;
        List<AnswerDelta> deltas = [];
        parser.Append("[TOOL_CALLS][{\"name\": \"now\"}]", deltas);
        parser.Finish(deltas);
        Assert.Equal([new AnswerDelta(AnswerDeltaKind.Content, -1, "[TOOL_CALLS][{\"name\": \"now\"}]")], deltas);
    }

    [Fact]
    public void Arguments_come_as_they_are_written()
    {
        AnswerParser parser = Answers.Format("hermes", []).CreateParser(_options)!;
        List<AnswerDelta> deltas = [];
        parser.Append("Hi <tool_call>{\"name\": \"add\", \"arguments\": ", deltas);
        Assert.Equal([new AnswerDelta(AnswerDeltaKind.Content, -1, "Hi")], deltas);
        deltas.Clear();
        foreach (string piece in (string[])["{\"a\": ", "\"lo", "ng\"", "}"])
        {
            parser.Append(piece, deltas);
        }

        Assert.Equal(
            [new(AnswerDeltaKind.CallName, 0, "add"), new(AnswerDeltaKind.CallArguments, 0, "{\"a\": "), new(AnswerDeltaKind.CallArguments, 0, "\"lo"), new(AnswerDeltaKind.CallArguments, 0, "ng\""), new AnswerDelta(AnswerDeltaKind.CallArguments, 0, "}")],
            deltas);
    }

    [Theory]
    [InlineData("hermes", "<tool_call>{\"name\": \"add\", \"arguments\": {\"s\": \"", "lorem \\\" } ", "\"}}</tool_call>")]
    [InlineData("hermes", "<tool_call>{\"x\": {", "\"<tool_call>{\": {", "")]
    [InlineData("hermes", "", "<tool_call>{\"name\": \"", "")]
    [InlineData("hermes", "", "<tool_cal", "")]
    [InlineData("hermes", "", " \n", "<tool_call>")]
    [InlineData("llama3_json", "{\"name\": \"add\", \"parameters\": ", "{\"a\": ", "")]
    [InlineData("llama3_json", "", "{\"name\": \"now\"}; ", "")]
    [InlineData("mistral", "", "[TOOL_CALLS]now[ARGS]{}", "")]
    [InlineData("deepseek_v3", "<｜tool▁call▁begin｜>", "<｜tool▁", "")]
    [InlineData("harmony", "<|channel|>", "<|start|>assistant<|channel|>", "")]
    [InlineData("pythonic", "[add(a=", "[(", "")]
    [InlineData("pythonic", "[add(a='", "\\u00e9''", "")]
    [InlineData("pythonic", "[", "now(), ", "")]
    public void Time_is_linear(string form, string head, string repeated, string tail)
    {
        // A megabyte in pieces of a character: quadratic time would be hours.
        StringBuilder text = new(head);
        while (text.Length < 1_000_000)
        {
            text.Append(repeated);
        }

        text.Append(tail);
        long begin = Stopwatch.GetTimestamp();
        AnswerParser parser = Answers.Format(form, []).CreateParser(_options)!;
        List<AnswerDelta> deltas = [];
        foreach (char unit in text.ToString())
        {
            parser.Append([unit], deltas);
        }

        parser.Finish(deltas);
        Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(20), $"{Stopwatch.GetElapsedTime(begin)}");
    }

    [Fact]
    public void Random_answers_of_right_pieces_are_the_same_however_they_are_cut()
    {
        int seed = Random.Shared.Next();
        Random random = new(seed);
        foreach (string form in Transcripts.All.Select(row => row.Form).Distinct())
        {
            string[] pieces = [.. Transcripts.Special(form), "{", "}", "[", "]", "\"", "\"name\"", ":", ": ", "\"add\"", "\"arguments\"", "\"parameters\"", ",", "{\"a\": 1}", "\\", "\n", " ", "now", "(", ")", "=", "'", "function", "```json", "```", "to=functions.now", "x", "é", "😀", "1", "None"];
            for (int i = 0; i < 2000; i++)
            {
                string text = string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => pieces[random.Next(pieces.Length)]));
                int[] cuts = [.. Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(text.Length + 1)).Order()];
                Answers answers = Answers.Parse(form, text, [], _options);
                AssertNothingLost(form, text, answers);
                string whole = answers.ToString();
                string parsed = Answers.Parse(form, text, cuts, _options).ToString();
                Assert.True(whole == parsed, $"seed {seed}, {form}: {text} cut at {string.Join(",", cuts)}:\n{whole}\n{parsed}");
            }
        }
    }

    /// <summary>What is no call's markup is in the text or the reasoning; without a call that is all of it, but for white space and what marks thinking.</summary>
    private static void AssertNothingLost(string form, string text, Answers answers)
    {
        string given = Bare(answers.Reasoning + answers.Content);
        if (form == "harmony")
        {
            return; // Its headers are markup even without a call: the table says what becomes of them.
        }

        if (!answers.Calls.Any())
        {
            Assert.Equal(Bare(text), given);
            return;
        }

        int at = 0;
        string all = Bare(text);
        Assert.True(given.All(unit => (at = all.IndexOf(unit, at) + 1) > 0), $"{given} is not in {all}");
        Assert.All(answers.Calls, call => Assert.True(form == "pythonic" || call.Arguments == "{}" || text.Contains(call.Arguments, StringComparison.Ordinal) || text.Contains('\\')));
    }

    private static string Bare(string text)
    {
        foreach (string marker in (string[])["<think>", "</think>", "[THINK]", "[/THINK]"])
        {
            text = text.Replace(marker, "", StringComparison.Ordinal);
        }

        return string.Concat(text.Where(unit => !char.IsWhiteSpace(unit)));
    }
}
