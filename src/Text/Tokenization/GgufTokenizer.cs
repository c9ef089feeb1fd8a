using Serving.Text.Tokenization.Gguf;

namespace Serving.Text.Tokenization;

/// <summary>Makes tokenizers from GGUF metadata, with the meaning that llama.cpp gives it (src/llama-vocab.cpp).</summary>
public static class GgufTokenizer
{
    /// <exception cref="TokenizerFormatException">The metadata is damaged or asks for something that is not supported.</exception>
    public static ITokenizer Create(GgufVocabulary vocabulary)
    {
        GgufTokens tokens = new(vocabulary);
        return vocabulary.Model switch
        {
            "gpt2" => GgufModels.CreateByteLevel(tokens),
            "llama" => GgufModels.CreateSentencePiece(tokens),
            "bert" => GgufModels.CreateWordPiece(tokens),
            _ => throw new TokenizerFormatException(
                "tokenizer.ggml.model", $"'{vocabulary.Model}' is not a tokenizer that is supported (gpt2, llama, bert)."),
        };
    }
}
