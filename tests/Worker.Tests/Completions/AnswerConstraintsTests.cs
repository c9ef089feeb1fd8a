using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Engine.Sampling;
using Serving.Grammars;
using Serving.Text.Tokenization;
using Serving.Text.ToolCalls;
using Serving.Worker.Completions;

namespace Serving.Worker.Tests.Completions;

/// <summary>What a model that has to call writes in any case, whatever its logits are: random walks through the masks, read back by the form's parser.</summary>
public sealed class AnswerConstraintsTests
{
    private const string Schema = """{"type":"object","properties":{"unit":{"enum":["C","F"]},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["unit"],"additionalProperties":false}""";
    private const string Empty = """{"type":"object","properties":{},"additionalProperties":false}""";

    private static readonly string[] _functions = ["get_weather", "now"];

    /// <summary>Form, chat template, special tokens.</summary>
    public static TheoryData<string, string, string[]> Forms => new()
    {
        { "hermes", "<tool_call>", [] },
        { "hermes", "<tool_call><think>", ["<tool_call>", "</tool_call>", "<think>", "</think>"] },
        { "hermes", "<tool_call><think>", [] },
        { "llama3_json", "<|python_tag|>", ["<|python_tag|>"] },
        { "mistral", "[TOOL_CALLS]", ["[TOOL_CALLS]"] },
        { "mistral", "[TOOL_CALLS][ARGS][THINK]", ["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]"] },
        { "deepseek_v3", "<｜tool▁call▁begin｜>", [] },
        { "deepseek_v3", "<｜tool▁call▁begin｜>```json<think>", ["<think>", "</think>"] },
        { "harmony", "<|channel|>", ["<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>"] },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_model_that_has_to_call_calls(string form, string template, string[] special)
    {
        Model model = new(form, template, special);
        foreach (bool isSingle in (bool[])[false, true])
        {
            ToolParameters tools = Tools(isRequired: true, isSingle);
            for (int seed = 0; seed < 20; seed++)
            {
                Parsed parsed = model.Walk(new AnswerConstraints(model.Format, tools).Of(text: null, startsInReasoning: false)!, tools, seed, startsInReasoning: false);
                Assert.True(parsed.Content.Length == 0 && parsed.Calls.Count > 0 && (!isSingle || parsed.Calls.Count == 1), $"{seed}: {parsed}");
                AssertCalls(parsed);
            }
        }
    }

    [Theory]
    [InlineData("hermes", "<tool_call><think>", new[] { "<tool_call>", "</tool_call>", "<think>", "</think>" })]
    [InlineData("hermes", "<tool_call><think>", new string[0])]
    [InlineData("mistral", "[TOOL_CALLS][ARGS][THINK]", new[] { "[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]" })]
    [InlineData("deepseek_v3", "<｜tool▁call▁begin｜>```json<think>", new[] { "<think>", "</think>" })]
    public void A_model_that_thinks_already_thinks_to_its_end_and_calls(string form, string template, string[] special)
    {
        Model model = new(form, template, special);
        ToolParameters tools = Tools(isRequired: true, isSingle: true);
        Constraint constraint = new AnswerConstraints(model.Format, tools).Of(text: null, startsInReasoning: true)!;
        string end = model.Format.Reasoning!.Value.End;
        CallSyntax syntax = model.Format.Syntax!;
        string call = $"{syntax.Begin}{syntax.BeforeName}now{syntax.BeforeArguments}{{}}{syntax.AfterArguments}{syntax.End}";
        Assert.True(model.Accepts(constraint, $"Hm, {(special.Length == 0 ? syntax.BeforeName : "{")}{end}\n\n{call}"));
        Assert.False(model.Accepts(constraint, "Hm."));
        Assert.False(model.Accepts(constraint, $"Hm.{end}Yes."));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_model_that_may_call_writes_text_or_calls_well(string form, string template, string[] special)
    {
        Model model = new(form, template, special);
        ToolParameters tools = Tools(isRequired: false, isSingle: false);
        Constraint constraint = new AnswerConstraints(model.Format, tools).Of(text: null, startsInReasoning: false)!;
        CallSyntax syntax = model.Format.Syntax!;
        string Call(string name, string arguments) => $"{syntax.Begin}{syntax.BeforeName}{name}{syntax.BeforeArguments}{arguments}{syntax.AfterArguments}{syntax.End}";

        Assert.True(model.Accepts(constraint, syntax.TextBegin + "It is {hot}."));
        Assert.True(model.Accepts(constraint, Call("get_weather", """{"unit": "C", "days": 3}""")));
        Assert.True(model.Accepts(constraint, Call("now", "{}")));
        Assert.False(model.Accepts(constraint, Call("get_weather", """{"unit": "K"}""")));
        Assert.False(model.Accepts(constraint, Call("sudo", "{}")));
        if (syntax.Marker.Length > 0)
        {
            Assert.True(model.Accepts(constraint, "I look. " + Call("now", "{}")));
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Text_of_a_format_and_calls_are_alternatives(string form, string template, string[] special)
    {
        Model model = new(form, template, special);
        ToolParameters tools = new() { Functions = { _functions } };
        Constraint constraint = new AnswerConstraints(model.Format, tools).Of(new Constraint { Regex = "[a-c]+", Param = "guided_regex" }, startsInReasoning: false)!;
        CallSyntax syntax = model.Format.Syntax!;

        Assert.Equal("guided_regex", constraint.Param);
        Assert.True(model.Accepts(constraint, syntax.TextBegin + "abcab"));
        Assert.False(model.Accepts(constraint, syntax.TextBegin + "abd"));
        Assert.True(model.Accepts(constraint, $"{syntax.Begin}{syntax.BeforeName}now{syntax.BeforeArguments}{{\"any\": 1}}{syntax.AfterArguments}{syntax.End}"));
        if (model.Format.Reasoning is { } reasoning)
        {
            Assert.True(model.Accepts(constraint, $"{reasoning.Begin}Let me see.{reasoning.End}{syntax.TextBegin}abc"));
        }
    }

    [Fact]
    public void Without_tools_and_format_an_answer_may_be_anything()
    {
        AnswerFormat format = new Model("hermes", "<tool_call><think>", []).Format;
        Assert.Null(new AnswerConstraints(format, null).Of(text: null, startsInReasoning: true));
        Assert.Null(new AnswerConstraints(format, new ToolParameters { Functions = { _functions } }).Of(text: null, startsInReasoning: false));
    }

    [Fact]
    public void Calls_in_a_form_without_a_grammar_are_refused_only_where_they_are_held_to_something()
    {
        AnswerFormat format = new Model("pythonic", "<|python_start|>", []).Format;
        Assert.Equal("tool_choice", new AnswerConstraints(format, Tools(isRequired: true, isSingle: false)).Check(text: null)!.Param);
        Assert.Equal("tools", new AnswerConstraints(format, Tools(isRequired: false, isSingle: false)).Check(text: null)!.Param);
        Assert.Null(new AnswerConstraints(format, new ToolParameters { Functions = { _functions } }).Check(text: null));
        Assert.Null(new AnswerConstraints(format, null).Check(new Constraint { Regex = "a" }));
    }

    private static ToolParameters Tools(bool isRequired, bool isSingle) => new()
    {
        Functions = { _functions },
        Arguments = { new Constraint { JsonSchema = Schema }, new Constraint { JsonSchema = Empty } },
        IsRequired = isRequired,
        SingleCall = isSingle,
    };

    private static void AssertCalls(Parsed parsed)
    {
        foreach ((string name, string arguments) in parsed.Calls)
        {
            using JsonDocument json = JsonDocument.Parse(arguments);
            if (name == "get_weather")
            {
                Assert.Contains(json.RootElement.GetProperty("unit").GetString(), (string[])["C", "F"]);
            }
            else
            {
                Assert.Equal(("now", 0), (name, json.RootElement.GetPropertyCount()));
            }
        }
    }

    private sealed record Parsed(string Reasoning, string Content, List<(string Name, string Arguments)> Calls);

    /// <summary>A model's text side: tokens that are single bytes, and special ones.</summary>
    private sealed class Model
    {
        private readonly string[] _special;
        private readonly ITokenizer _tokenizer;
        private readonly TokenVocabulary _vocabulary;

        public Model(string form, string template, string[] special)
        {
            _special = [.. special, "</s>"];
            _tokenizer = GgufTokenizer.Create(new GgufVocabulary
            {
                Model = "gpt2",
                Pre = "gpt-2",
                Tokens = [.. Enumerable.Range(0, 256).Select(ByteLetter), .. _special],
                TokenTypes = [.. Enumerable.Repeat(1, 256), .. Enumerable.Repeat(3, _special.Length)],
                Merges = [],
                EosId = 256 + special.Length,
            });
            _vocabulary = TokenizerVocabulary.Of(_tokenizer, _tokenizer.VocabularySize);
            Format = AnswerFormat.Of(_tokenizer, template);
            Assert.Equal(form, Format.Name);
        }

        public AnswerFormat Format { get; }

        public bool Accepts(Constraint constraint, string answer)
        {
            GrammarMatcher matcher = Matcher(constraint);
            return Tokens(answer).All(matcher.TryAdvance) && matcher.IsComplete;
        }

        private IEnumerable<int> Tokens(string answer) => Format.Split(answer).SelectMany(
            piece => piece.IsSpecialToken ? [256 + Array.IndexOf(_special, piece.Text)] : Encoding.UTF8.GetBytes(piece.Text).Select(value => (int)value));

        /// <summary>Writes what the masks allow, at random, and ends where that is allowed; long thoughts are cut short.</summary>
        public Parsed Walk(Constraint constraint, ToolParameters tools, int seed, bool startsInReasoning)
        {
            Random random = new(seed);
            GrammarMatcher matcher = Matcher(constraint);
            AnswerParts parts = new(
                new AnswerText(_tokenizer, []),
                Format,
                Format.CreateParser(new AnswerParserOptions { Functions = tools.Functions.ToFrozenSet(), SingleCall = tools.SingleCall, StartsInReasoning = startsInReasoning }));
            List<TokenChunk> chunks = [];
            ulong[] mask = new ulong[matcher.MaskWords];
            Queue<int> endOfThoughts = new(Format.Reasoning is { } reasoning ? Tokens(reasoning.End) : []);
            for (int i = 0; i < 2000 && !parts.IsOver && !(matcher.IsComplete && random.Next(3) == 0); i++)
            {
                matcher.Fill(mask);
                int[] allowed = [.. Enumerable.Range(0, _vocabulary.Size).Where(token => (mask[token / 64] & (1UL << token)) != 0 && !_tokenizer.EndOfGenerationIds.Contains(token))];
                if (allowed.Length == 0)
                {
                    break;
                }

                // No chance would spell the end of thoughts; afterwards the masks lead on.
                int next = i > 40 && parts.IsReasoning && endOfThoughts.TryDequeue(out int end) ? end : allowed[random.Next(allowed.Length)];
                Assert.True(matcher.TryAdvance(next));
                TokenChunk chunk = new();
                parts.Append(next, chunk);
                chunks.Add(chunk);
            }

            TokenChunk rest = new();
            parts.Finish(rest);
            chunks.Add(rest);
            Assert.True(matcher.IsComplete || parts.IsOver, "the walk did not come to an end");
            return new Parsed(
                string.Concat(chunks.Select(chunk => chunk.Reasoning)),
                string.Concat(chunks.Select(chunk => chunk.Text)),
                [.. chunks.SelectMany(chunk => chunk.ToolCalls).GroupBy(call => call.Index).Select(call => (string.Concat(call.Select(delta => delta.Name)), string.Concat(call.Select(delta => delta.Arguments))))]);
        }

        private GrammarMatcher Matcher(Constraint constraint) =>
            new(new CompiledGrammar(ConstraintGrammar.Of(constraint), _vocabulary), _tokenizer.EndOfGenerationIds.ToArray());

        private static string ByteLetter(int value) =>
            value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? $"{(char)value}" : $"{(char)(256 + Others.IndexOf(value))}";

        private static readonly List<int> Others =
            [.. Enumerable.Range(0, 256).Where(value => value is not ((>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF)))];
    }
}
