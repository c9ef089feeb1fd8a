namespace Serving.Text.Tokenization;

/// <summary>What a tokenizer.json does not say and the files beside it do (tokenizer_config.json, generation_config.json).</summary>
public sealed record TokenizerJsonOptions
{
    /// <summary>The token that begins a text, as written: tokenizer_config.json's <c>bos_token</c>.</summary>
    public string? BeginOfText { get; init; }

    /// <summary>The token that ends a text, as written: tokenizer_config.json's <c>eos_token</c>.</summary>
    public string? EndOfText { get; init; }

    /// <summary>Whether <see cref="BeginOfText"/> goes before a text even where the post-processor does not put it: tokenizer_config.json's <c>add_bos_token</c>.</summary>
    public bool AddBeginOfText { get; init; }

    /// <summary>The same of <see cref="EndOfText"/>, after a text: <c>add_eos_token</c>.</summary>
    public bool AddEndOfText { get; init; }

    /// <summary>More tokens that end a generation: generation_config.json's <c>eos_token_id</c>.</summary>
    public IReadOnlyList<int> EndOfGenerationIds { get; init; } = [];
}
