using Serving.Text;
using Serving.Text.Streaming;
using Serving.Text.Tokenization;

namespace Serving.Cli.Verify;

/// <summary>
/// A tokenizer against what Hugging Face's library wrote: rows of <c>text</c>, <c>ids</c>, <c>ids_with_special</c>, <c>decoded</c>,
/// <c>decoded_skip_special</c> and <c>stream</c>, what a client sees token by token.
/// </summary>
internal static class TokenizerVerifier
{
    public static IEnumerable<VerifiedRow> Compare(ITokenizer tokenizer, GoldenField rows)
    {
        foreach (var row in rows.Items())
        {
            // The reference takes special tokens wherever they are written, so the whole text is trusted.
            var text = PromptText.Trusted(row.Required("text").Text());
            var ids = Ids(row, "ids");
            var stream = new StreamingDetokenizer(tokenizer, skipSpecial: false);
            yield return new VerifiedRow(Name: null,
            [
                Comparison.Of("ids", ids, Encode(tokenizer, text, addSpecialTokens: false)),
                Comparison.Of("ids_with_special", Ids(row, "ids_with_special"), Encode(tokenizer, text, addSpecialTokens: true)),
                Comparison.Of("decoded", row.Required("decoded").Text(), tokenizer.Decode(ids, skipSpecial: false)),
                Comparison.Of("decoded_skip_special", row.Required("decoded_skip_special").Text(), tokenizer.Decode(ids, skipSpecial: true)),
                Comparison.Of("stream", row.Required("stream").Items().Select(piece => piece.Text()), ids.Select(stream.Append)),
            ]);
        }
    }

    private static int[] Ids(GoldenField row, string column) => [.. row.Required(column).Items().Select(id => id.Number())];

    private static List<int> Encode(ITokenizer tokenizer, PromptText text, bool addSpecialTokens)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, addSpecialTokens, ids);
        return ids;
    }
}
