namespace Serving.Text.Tokenization.AddedTokens;

/// <summary>A token that is found in the text as a whole, before the text is split. The flags are tokenizer.json's.</summary>
internal sealed record AddedToken(int Id, string Content)
{
    /// <summary>Recognised in trusted text only, and left out where special tokens are skipped.</summary>
    public bool Special { get; init; }

    /// <summary>Looked for in the normalized text, written as the normalizer would write it.</summary>
    public bool Normalized { get; init; }

    /// <summary>Only where no letter or digit is next to it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Takes the white space before it with it.</summary>
    public bool StripLeft { get; init; }

    /// <summary>Takes the white space after it with it.</summary>
    public bool StripRight { get; init; }
}
