namespace Serving.Text.Tokenization;

/// <summary>A GGUF file's <c>tokenizer.ggml.*</c> metadata, as it stands there; null where the file is silent.</summary>
public sealed record GgufVocabulary
{
    /// <summary><c>model</c>: gpt2 (byte-level BPE), llama (SentencePiece) or bert (WordPiece).</summary>
    public required string Model { get; init; }

    /// <summary><c>pre</c>: the name of the split expressions, for gpt2.</summary>
    public string? Pre { get; init; }

    /// <summary><c>tokens</c>, by id.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary><c>token_type</c>, by id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.</summary>
    public IReadOnlyList<int>? TokenTypes { get; init; }

    /// <summary><c>scores</c>, by id, for llama.</summary>
    public IReadOnlyList<float>? Scores { get; init; }

    /// <summary><c>merges</c>, two tokens with a space between, for gpt2.</summary>
    public IReadOnlyList<string>? Merges { get; init; }

    /// <summary><c>bos_token_id</c>; for bert [CLS].</summary>
    public int? BosId { get; init; }

    /// <summary><c>eos_token_id</c>.</summary>
    public int? EosId { get; init; }

    /// <summary><c>eot_token_id</c>: the end of a turn.</summary>
    public int? EotId { get; init; }

    /// <summary><c>eom_token_id</c>: the end of a message that calls a tool.</summary>
    public int? EomId { get; init; }

    /// <summary><c>unknown_token_id</c>.</summary>
    public int? UnknownId { get; init; }

    /// <summary><c>padding_token_id</c>.</summary>
    public int? PaddingId { get; init; }

    /// <summary><c>seperator_token_id</c> (spelled so in the format): what bert puts after a text.</summary>
    public int? SeparatorId { get; init; }

    /// <summary><c>add_bos_token</c>; where missing, llama and the pre-tokenizers of Llama 3 and Tekken add it.</summary>
    public bool? AddBos { get; init; }

    /// <summary><c>add_eos_token</c>; where missing, none is added.</summary>
    public bool? AddEos { get; init; }

    /// <summary><c>add_space_prefix</c>, for llama; where missing, a space is added.</summary>
    public bool? AddSpacePrefix { get; init; }
}
