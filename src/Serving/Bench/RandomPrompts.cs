namespace Serving.Cli.Bench;

/// <summary>Prompts of arbitrary tokens: no two share a beginning, so no cache of prefixes can help.</summary>
internal static class RandomPrompts
{
    /// <param name="seed">Equal seeds give equal prompts.</param>
    public static int[][] Create(int count, int length, int vocabularySize, int seed)
    {
        // Not for secrets: the same prompts in every run is what is wanted.
#pragma warning disable CA5394
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => (int[])[(i + seed) % vocabularySize, .. Enumerable.Range(1, length - 1).Select(_ => random.Next(vocabularySize))])];
#pragma warning restore CA5394
    }
}
