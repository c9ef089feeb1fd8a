namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Something that can be found in a text, repeatedly, from left to right.</summary>
internal interface ISplitPattern
{
    /// <summary>Finds the first match that starts at <paramref name="from"/> or after; a match may be empty.</summary>
    bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end);

    /// <summary>The pattern to use on all of <paramref name="text"/>; it may have looked at the text already.</summary>
    ISplitPattern ForText(ReadOnlySpan<char> text) => this;
}
