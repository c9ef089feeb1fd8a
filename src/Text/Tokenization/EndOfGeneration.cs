namespace Serving.Text.Tokenization;

/// <summary>The tokens that end a generation by their well-known names; the list and its exception are llama.cpp's (src/llama-vocab.cpp).</summary>
internal static class EndOfGeneration
{
    private static readonly string[] _names =
    [
        "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<|endoftext|>",
        "<|end_of_text|>", "<|eos|>", "<eos>", "</s>", "<EOT>", "_<EOT>", "< EOT >", "[EOT]", "[EOS]", "<end_of_utterance>", "<｜end▁of▁sentence｜>",
    ];

    /// <param name="idOf">The id of a token that is not plain text, by its name.</param>
    /// <param name="declared">Ids that the model's files declare; never left out.</param>
    public static HashSet<int> Find(Func<string, int?> idOf, IEnumerable<int?> declared)
    {
        HashSet<int> ids = [];
        foreach (string name in _names)
        {
            if (idOf(name) is int id)
            {
                ids.Add(id);
            }
        }

        // In harmony's vocabulary <|end|> ends a message, after which another may follow; the turn ends with one of the other two.
        if (idOf("<|end|>") is int end && idOf("<|return|>") is not null && idOf("<|call|>") is not null)
        {
            ids.Remove(end);
        }

        foreach (int? id in declared)
        {
            if (id is int known)
            {
                ids.Add(known);
            }
        }

        return ids;
    }
}
