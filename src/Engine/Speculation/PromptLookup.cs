namespace Serving.Engine.Speculation;

/// <summary>
/// Guesses how a text goes on from the text itself: what came after the last place where its newest tokens stood before (prompt lookup decoding, Saxena 2023,
/// github.com/apoorvumang/prompt-lookup-decoding; LLMA, Yang et al., arXiv 2304.04487). Good for answers that copy or edit their prompt, of little use elsewhere.
/// </summary>
public static class PromptLookup
{
    private const int NewestTokensMax = 4;

    // One token alone stands in too many places to say anything.
    private const int NewestTokensMin = 2;

    /// <summary>Where the text goes on like its end may.</summary>
    /// <returns>The place of the token to guess first; the ones after it follow, the newest of all tokens too. -1: the newest tokens are new.</returns>
    public static int Find(ReadOnlySpan<int> tokens)
    {
        for (var newest = Math.Min(NewestTokensMax, tokens.Length - 1); newest >= NewestTokensMin; newest--)
        {
            var place = tokens[..^1].LastIndexOf(tokens[^newest..]);
            if (place >= 0)
            {
                return place + newest;
            }
        }

        return -1;
    }
}
