namespace Serving.Text.Tokenization;

/// <summary>What goes into a GGUF vocabulary and stands in the files beside a tokenizer.json.</summary>
public sealed record GgufVocabularyOptions
{
    /// <summary>tokenizer_config.json's <c>bos_token</c>, as written.</summary>
    public string? BeginOfText { get; init; }

    /// <summary>tokenizer_config.json's <c>eos_token</c>, as written.</summary>
    public string? EndOfText { get; init; }

    /// <summary>tokenizer_config.json's <c>unk_token</c>, as written; where null, the model's own.</summary>
    public string? Unknown { get; init; }

    /// <summary>tokenizer_config.json's <c>pad_token</c>, as written.</summary>
    public string? Padding { get; init; }

    /// <summary>tokenizer_config.json's <c>add_bos_token</c>: counts where the post-processor puts nothing before a text.</summary>
    public bool? AddsBeginOfText { get; init; }

    /// <summary>tokenizer_config.json's <c>add_eos_token</c>: counts where the post-processor puts nothing after a text.</summary>
    public bool? AddsEndOfText { get; init; }

    /// <summary>generation_config.json's (or config.json's) <c>eos_token_id</c>.</summary>
    public IReadOnlyList<int> EndOfGenerationIds { get; init; } = [];

    /// <summary>config.json's <c>vocab_size</c>, the rows of the embedding: rows beyond the tokens get unused ones named <c>[PAD7]</c>.</summary>
    public int? VocabularySize { get; init; }
}
