using System.Text.Json;
using Serving.Text.Tokenization;

namespace Serving.Text.Tests.Tokenization;

/// <summary>The tokenizers of Fixtures/tokenizers and what Hugging Face's library said of some texts.</summary>
internal static class Fixtures
{
    private static readonly JsonSerializerOptions _snakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string Path(string kind, string file) => System.IO.Path.Combine(AppContext.BaseDirectory, "Fixtures", "tokenizers", kind, file);

    public static ITokenizer Load(string kind) => TokenizerJson.Load(Path(kind, "tokenizer.json"));

    public static IReadOnlyList<GoldenRow> Rows(string kind) =>
        JsonSerializer.Deserialize<List<GoldenRow>>(File.ReadAllText(Path(kind, "golden.json")), _snakeCase)!;

    public static List<int> Encode(ITokenizer tokenizer, PromptText text, bool addSpecialTokens = false)
    {
        List<int> ids = [];
        tokenizer.Encode(text, addSpecialTokens, ids);
        return ids;
    }

    public static List<int> Encode(ITokenizer tokenizer, string text) => Encode(tokenizer, PromptText.Trusted(text));

    internal sealed record GoldenRow(
        string Text, int[] Ids, int[] IdsWithSpecial, string Decoded, string DecodedSkipSpecial, string[] Stream);
}
