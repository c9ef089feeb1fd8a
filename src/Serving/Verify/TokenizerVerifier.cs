using Serving.Text;
using Serving.Text.Streaming;
using Serving.Text.Tokenization;

namespace Serving.Cli.Verify;

/// <summary>A tokenizer against rows of <c>text, ids, ids_with_special, decoded, decoded_skip_special, stream</c> that Hugging Face's library wrote.</summary>
internal static class TokenizerVerifier
{
    public static IEnumerable<VerifiedRow> Compare(ITokenizer tokenizer, GoldenField rows)
    {
        foreach (var row in rows.Items())
        {
            // The reference takes special tokens wherever they are written, so the whole text is trusted.
            var text = PromptText.Trusted(row.Required("text").Text());
            int[] ids = [.. row.Required("ids").Items().Select(id => id.Number())];
            var stream = new StreamingDetokenizer(tokenizer, skipSpecial: false);
            yield return new VerifiedRow(Name: null,
            [
                Comparison.Of("ids", ids, Encode(tokenizer, text, addSpecialTokens: false)),
                Comparison.Of(
                    "ids_with_special", row.Required("ids_with_special").Items().Select(id => id.Number()), Encode(tokenizer, text, addSpecialTokens: true)),
                Comparison.Of("decoded", row.Required("decoded").Text(), tokenizer.Decode(ids, skipSpecial: false)),
                Comparison.Of("decoded_skip_special", row.Required("decoded_skip_special").Text(), tokenizer.Decode(ids, skipSpecial: true)),
                Comparison.Of("stream", row.Required("stream").Items().Select(piece => piece.Text()), ids.Select(stream.Append)),
            ]);
        }
    }

    private static List<int> Encode(ITokenizer tokenizer, PromptText text, bool addSpecialTokens)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, addSpecialTokens, ids);
        return ids;
    }
}
