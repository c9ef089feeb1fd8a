namespace Serving.Text;

/// <summary>Characters [<paramref name="Start"/>, <paramref name="Start"/> + <paramref name="Length"/>) of a text, in UTF-16 units.</summary>
public readonly record struct TextRange(int Start, int Length)
{
    public int End => Start + Length;
}

/// <summary>
/// A text and the parts of it that may become special tokens. A chat template marks what it wrote itself; what came from a user
/// stays outside the ranges, so that a user who types <c>&lt;|im_end|&gt;</c> ends nothing.
/// </summary>
/// <param name="Text">The whole text.</param>
/// <param name="TrustedRanges">Ascending, disjoint, non-empty, adjacent ones merged. A special token is recognised only inside one of them.</param>
public sealed record PromptText(string Text, IReadOnlyList<TextRange> TrustedRanges)
{
    /// <summary>No part may become a special token.</summary>
    public static PromptText Plain(string text) => new(text, []);

    /// <summary>Every part may become a special token.</summary>
    public static PromptText Trusted(string text) => new(text, text.Length == 0 ? [] : [new TextRange(0, text.Length)]);
}
