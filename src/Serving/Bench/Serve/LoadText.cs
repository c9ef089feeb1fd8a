namespace Serving.Cli.Bench.Serve;

/// <summary>Prompts of plain words, which most vocabularies hold whole: about one token each. No two begin alike.</summary>
internal static class LoadText
{
    private static readonly string[] Words =
    [
        "time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state", "family", "student", "group", "country", "problem", "hand", "part",
        "place", "case", "week", "company", "system", "program", "question", "work", "government", "number", "night", "point", "home", "water", "room", "mother", "area", "money", "story", "fact",
    ];

    public static string Create(int request, int words)
    {
        // Not for secrets: the same text in every run is what is wanted.
#pragma warning disable CA5394
        var random = new Random(request);
        return $"{request}. Write a long story with these words: {string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)]))}";
#pragma warning restore CA5394
    }
}
