using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;

namespace Serving.Engine.Models;

/// <summary>The sizes of a decoder-only transformer, as its file states them.</summary>
/// <param name="Name">The model's own name.</param>
/// <param name="Architecture">The family: <c>llama</c>.</param>
/// <param name="Layers">Transformer layers.</param>
/// <param name="Width">Elements of a token's residual row.</param>
/// <param name="FeedForwardWidth">Elements between the two halves of the MLP.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadDim">Elements of a head.</param>
/// <param name="NormEpsilon">What the norms add to the mean square.</param>
/// <param name="VocabularySize">Rows of the token embedding.</param>
/// <param name="ContextLength">Most tokens of a sequence that the model was trained for.</param>
/// <param name="RopeDims">Leading elements of a head that RoPE turns; even.</param>
/// <param name="RopeTheta">RoPE's base.</param>
public sealed record ModelConfig(
    string Name,
    string Architecture,
    int Layers,
    int Width,
    int FeedForwardWidth,
    int Heads,
    int KvHeads,
    int HeadDim,
    float NormEpsilon,
    int VocabularySize,
    int ContextLength,
    int RopeDims,
    float RopeTheta)
{
    public const string ArchitectureKey = "general.architecture";
    public const string TokenEmbedding = "token_embd.weight";

    /// <summary>Elements of a row of queries.</summary>
    public int QueryWidth => Heads * HeadDim;

    /// <summary>Elements of a row of keys, and of a row of values.</summary>
    public int KvWidth => KvHeads * HeadDim;

    /// <summary>
    /// Reads the sizes from GGUF metadata, whose keys begin with the architecture's name. They are bounded here only so far that no product of two
    /// overflows; whether they are true shows when the tensors are held against them.
    /// </summary>
    /// <exception cref="ModelFormatException">A key is missing, mistyped or contradicts another.</exception>
    public static ModelConfig Read(GgufFile file)
    {
        const int SizeMax = 1 << 24;
        const int HeadsMax = 1 << 12;

        GgufMetadata metadata = file.Metadata;
        string architecture = metadata.GetString(ArchitectureKey);
        string Key(string name) => $"{architecture}.{name}";

        int width = metadata.GetInt32(Key("embedding_length"), 1, SizeMax);
        int heads = metadata.GetInt32(Key("attention.head_count"), 1, HeadsMax);
        int kvHeads = metadata.FindInt32(Key("attention.head_count_kv"), 1, HeadsMax) ?? heads;
        if (heads % kvHeads != 0)
        {
            throw metadata.Invalid(Key("attention.head_count_kv"), $"is {kvHeads}, which does not divide the {heads} query heads");
        }

        int headDim = ReadHeadDim(metadata, Key("attention.key_length"), width, heads);
        int valueDim = metadata.FindInt32(Key("attention.value_length"), 1, HeadsMax) ?? headDim;
        if (valueDim != headDim)
        {
            throw metadata.Invalid(Key("attention.value_length"), $"is {valueDim}, expected the length of a key, {headDim}");
        }

        int ropeDims = metadata.FindInt32(Key("rope.dimension_count"), 2, headDim) ?? headDim;
        if (ropeDims % 2 != 0)
        {
            throw metadata.Invalid(Key("rope.dimension_count"), $"is {ropeDims}, expected an even number");
        }

        return new ModelConfig(
            metadata.FindString("general.name") ?? System.IO.Path.GetFileNameWithoutExtension(file.Path),
            architecture,
            metadata.GetInt32(Key("block_count"), 1, HeadsMax),
            width,
            metadata.GetInt32(Key("feed_forward_length"), 1, SizeMax),
            heads,
            kvHeads,
            headDim,
            ReadPositive(metadata, Key("attention.layer_norm_rms_epsilon")) ?? throw metadata.Invalid(Key("attention.layer_norm_rms_epsilon"), "is missing"),
            ReadVocabularySize(file),
            metadata.GetInt32(Key("context_length"), 1, int.MaxValue),
            ropeDims,
            ReadPositive(metadata, Key("rope.freq_base")) ?? 10_000f);
    }

    private static int ReadHeadDim(GgufMetadata metadata, string key, int width, int heads)
    {
        const int HeadDimMax = 1 << 10;
        if (metadata.FindInt32(key, 1, HeadDimMax) is { } headDim)
        {
            return headDim;
        }

        return width % heads == 0 && width / heads <= HeadDimMax
            ? width / heads
            : throw metadata.Invalid(key, $"is missing, and {heads} heads do not divide the width {width} into heads of at most {HeadDimMax}");
    }

    private static int ReadVocabularySize(GgufFile file)
    {
        GgufTensor embedding = file.FindTensor(TokenEmbedding) ?? throw new ModelFormatException(file.Path, null, $"tensor {TokenEmbedding}", "is missing");
        return file.Matrix(embedding).Outputs;
    }

    private static float? ReadPositive(GgufMetadata metadata, string key)
    {
        float? number = metadata.FindSingle(key);
        return number is not <= 0 ? number : throw metadata.Invalid(key, $"is {number}, expected a positive number");
    }
}
