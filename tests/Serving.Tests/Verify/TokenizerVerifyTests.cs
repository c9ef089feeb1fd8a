using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.TestKit;

namespace Serving.Serving.Tests.Verify;

public sealed class TokenizerVerifyTests : IDisposable
{
    private static readonly string _fixtures = Path.Combine(Repository.Root, "tests", "Text.Tests", "Fixtures", "tokenizers");

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Kinds => [.. Directory.GetDirectories(_fixtures).Select(folder => Path.GetFileName(folder))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_recorded_row_passes(string kind)
    {
        var run = await CommandRun.Of("tokenizer", "verify", File(kind, "tokenizer.json"), "--golden", File(kind, "golden.json"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("decoded_skip_special  ", run.Output);
        Assert.Contains(" rows passed.", run.Output);
    }

    [Fact]
    public async Task A_miss_is_shown_with_its_row_what_was_expected_and_what_came()
    {
        var run = await VerifyAsync(Golden(rows => rows[1]!["ids_with_special"]![0] = 7));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("row 1, ids_with_special, from item 0 on:", run.Output);
        Assert.Contains("  expected [7, 223, 490,", run.Output);
        Assert.Contains("  got      [0, 223, 490,", run.Output);
        Assert.Contains("1 of ", run.Output);
    }

    [Fact]
    public async Task Of_a_long_text_the_part_that_differs_is_shown()
    {
        var text = new string('a', 1000) + "b";
        var run = await VerifyAsync(Golden(rows => rows[0]!["decoded"] = text));
        Assert.Contains($"row 0, decoded, from character 0 on:\n  expected \"{text[..80]}\"…\n", run.Output.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Ten_misses_are_shown_unless_all_are_asked_for()
    {
        var golden = Golden(rows => rows.ToList().ForEach(row => row!["decoded"] = "\u001b[31mnever"));
        var first = await VerifyAsync(golden);
        var all = await VerifyAsync(golden, "--all");
        Assert.Equal(10, Count(first.Output, "\nrow "));
        Assert.Contains("more: --all shows every miss.", first.Output);
        Assert.True(Count(all.Output, "\nrow ") > 10);
        Assert.DoesNotContain("\u001b", all.Output);
    }

    [Fact]
    public async Task Json_is_one_object()
    {
        var run = await VerifyAsync(Golden(rows => rows[2]!["stream"]![0] = "?"), "--json");
        var report = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(1, report.GetProperty("failed").GetInt32());
        Assert.True(report.GetProperty("rows").GetInt32() > 2);
        var miss = Assert.Single(report.GetProperty("misses").EnumerateArray());
        Assert.Equal((2, "stream"), (miss.GetProperty("row").GetInt32(), miss.GetProperty("column").GetString()));
        Assert.Equal(("?", "t"), (miss.GetProperty("expected")[0].GetString(), miss.GetProperty("got")[0].GetString()));
    }

    [Theory]
    [InlineData("{", "is not JSON")]
    [InlineData("{}", "the root is an object where a list is expected.")]
    [InlineData("[]", "no rows to verify")]
    [InlineData("[3]", "[0] is a number where an object is expected.")]
    [InlineData("""[{"ids": []}]""", "[0] lacks the field 'text'.")]
    [InlineData("""[{"text": "a", "ids": [1, 2.5]}]""", "[0].ids[1] is not a whole number of 32 bits.")]
    [InlineData("""[{"text": "\ud800", "ids": []}]""", "[0].text holds half a character")]
    public async Task A_broken_golden_file_is_named_with_its_field(string json, string expected)
    {
        var golden = _folder.Touch("golden.json", json);
        var run = await VerifyAsync(golden);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(expected, run.Error);
        Assert.Equal(1, Count(run.Error, "\n"));
    }

    [Fact]
    public async Task A_broken_tokenizer_is_named_with_its_field()
    {
        var tokenizer = _folder.Touch("tokenizer.json", """{"model": {"type": "Uni\ngram"}}""");
        var run = await CommandRun.Of("tokenizer", "verify", tokenizer, "--golden", File("llama3", "golden.json"));
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"{tokenizer}: Tokenizer field 'model", run.Error);
        Assert.Equal(1, Count(run.Error, "\n"));
    }

    [Fact]
    public async Task A_tokenizer_with_half_a_character_is_refused_in_one_line()
    {
        var tokenizer = _folder.Touch("tokenizer.json", """{"model": {"type": "\ud800"}}""");
        var run = await CommandRun.Of("tokenizer", "verify", tokenizer, "--golden", File("llama3", "golden.json"));
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"{tokenizer}: ", run.Error);
    }

    [Theory]
    [InlineData("nothing.json")]
    [InlineData(".")]
    public async Task A_file_that_cannot_be_read_is_named(string name)
    {
        var path = _folder.File(name);
        Assert.StartsWith($"{path}: cannot be read: ", (await VerifyAsync(path)).Error);
        Assert.StartsWith($"{path}: cannot be read: ", (await CommandRun.Of("tokenizer", "verify", path, "--golden", path)).Error);
    }

    private static Task<CommandRun> VerifyAsync(string golden, params string[] options) =>
        CommandRun.Of(["tokenizer", "verify", File("llama3", "tokenizer.json"), "--golden", golden, .. options]);

    private string Golden(Action<JsonArray> change)
    {
        var rows = JsonNode.Parse(System.IO.File.ReadAllText(File("llama3", "golden.json")))!.AsArray();
        change(rows);
        return _folder.Touch("golden.json", rows.ToJsonString());
    }

    private static string File(string kind, string name) => Path.Combine(_fixtures, kind, name);

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
