namespace Serving.Cli.Bench.Peer;

/// <summary>One figure that both engines are measured for.</summary>
/// <param name="Name">Its name in the output.</param>
/// <param name="IsMoe">Whether the mixture-of-experts model is used.</param>
/// <param name="Streams">Sequences that run at once, each with a prompt of its own.</param>
/// <param name="PromptTokens">Tokens of each prompt.</param>
/// <param name="AnswerTokens">Decode steps that are measured; 0: the prompt is what is measured.</param>
internal sealed record PeerCase(string Name, bool IsMoe, int Streams, int PromptTokens, int AnswerTokens)
{
    private const int Prompt = 128;
    private const int Answer = 128;

    public static IReadOnlyList<PeerCase> All { get; } =
    [
        new("decode_1", IsMoe: false, 1, Prompt, Answer),
        new("decode_8", IsMoe: false, 8, Prompt, Answer),
        new("decode_32", IsMoe: false, 32, Prompt, Answer),
        new("prefill_512", IsMoe: false, 1, 512, 0),
        new("moe_decode_1", IsMoe: true, 1, Prompt, Answer),
        new("moe_decode_8", IsMoe: true, 8, Prompt, Answer),
    ];

    public bool IsPrefill => AnswerTokens == 0;

    /// <summary>Most tokens of a sequence: the token that follows the prompt is sampled from the prompt's logits, before the first decode step.</summary>
    public int SequenceTokens => PromptTokens + AnswerTokens + 1;

    /// <summary>The cases of <c>--only</c>, in their own order.</summary>
    /// <param name="names">Separated by commas; null: all.</param>
    /// <exception cref="BenchException">There is no such case.</exception>
    public static IReadOnlyList<PeerCase> Select(string? names)
    {
        if (names is null)
        {
            return All;
        }

        var wanted = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var unknown = wanted.Except(All.Select(one => one.Name)).ToArray();
        return wanted.Length > 0 && unknown.Length == 0
            ? [.. All.Where(one => wanted.Contains(one.Name))]
            : throw new BenchException($"--only {names}: there is no case '{string.Join(", ", unknown)}'. There are {string.Join(", ", All.Select(one => one.Name))}.");
    }
}
