using Serving.Text.Tokenization;

namespace Serving.Engine.Formats;

/// <summary>What a model says of text.</summary>
/// <param name="Name">The model's own name, if it has one.</param>
/// <param name="Organization">Who made it, if it says so.</param>
/// <param name="Tokenizer">Its vocabulary, with every token that ends an answer.</param>
/// <param name="ChatTemplate">Jinja; null for a model that only completes text.</param>
/// <param name="SamplingDefaults">What its makers recommend.</param>
public sealed record ModelText(string? Name, string? Organization, ITokenizer Tokenizer, string? ChatTemplate, SamplingDefaults SamplingDefaults);

/// <summary>What a model's makers recommend where a request is silent (generation_config.json); null where they are silent too.</summary>
public sealed record SamplingDefaults
{
    public static SamplingDefaults None { get; } = new();

    /// <summary>0 where the makers recommend greedy decoding.</summary>
    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? TopK { get; init; }

    public float? MinP { get; init; }

    public float? RepetitionPenalty { get; init; }
}
