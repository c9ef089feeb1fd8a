namespace Serving.Text.Tokenization;

/// <summary>What a token stands for. The names are those of GGUF's <c>tokenizer.ggml.token_type</c>.</summary>
public enum TokenKind
{
    /// <summary>A piece of text.</summary>
    Normal,

    /// <summary>Stands for a text that the vocabulary cannot write.</summary>
    Unknown,

    /// <summary>A special token: structure, not text.</summary>
    Control,

    /// <summary>Added to the vocabulary as a whole; matched before text is split.</summary>
    UserDefined,

    /// <summary>The id names no token, or one that is never produced.</summary>
    Unused,

    /// <summary>One byte of a character that the vocabulary lacks.</summary>
    Byte,
}
