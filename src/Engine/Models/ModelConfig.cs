using Serving.Engine.Formats;

namespace Serving.Engine.Models;

/// <summary>The sizes that every decoder-only transformer has, as its files state them.</summary>
/// <param name="Name">The model's own name.</param>
/// <param name="Architecture">The family as the format calls it: <c>llama</c>, <c>qwen3_moe</c>.</param>
/// <param name="Layers">Transformer layers.</param>
/// <param name="Width">Elements of a token's residual row.</param>
/// <param name="FeedForwardWidth">Elements between the two halves of the MLP.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadDim">Elements of a head.</param>
/// <param name="NormEpsilon">What the norms add to the mean square.</param>
/// <param name="VocabularySize">Rows of the token embedding.</param>
/// <param name="ContextLength">Most tokens of a sequence that the model was trained for.</param>
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
    int ContextLength)
{
    internal const int SizeMax = 1 << 24;
    internal const int CountMax = 1 << 12;
    internal const int HeadDimMax = 1 << 10;

    /// <summary>Elements of a row of queries.</summary>
    public int QueryWidth => Heads * HeadDim;

    /// <summary>Elements of a row of keys, and of a row of values.</summary>
    public int KvWidth => KvHeads * HeadDim;

    /// <summary>
    /// Reads the sizes. They are bounded here only so far that no product of two overflows; whether they are true shows when the tensors are held
    /// against them.
    /// </summary>
    /// <param name="vocabularySize">Rows of the token embedding.</param>
    /// <exception cref="ModelFormatException">A setting is missing, mistyped or contradicts another.</exception>
    internal static ModelConfig Read(ModelSource source, string name, int vocabularySize)
    {
        ModelSettings settings = source.Settings;
        int width = settings.GetInt32(SettingKeys.Width, 1, SizeMax);
        int heads = settings.GetInt32(SettingKeys.Heads, 1, CountMax);
        int kvHeads = settings.FindInt32(SettingKeys.KvHeads, 1, CountMax) ?? heads;
        if (heads % kvHeads != 0)
        {
            throw settings.Invalid(SettingKeys.KvHeads, $"is {kvHeads}, which does not divide the {heads} query heads");
        }

        int layers = settings.GetInt32(SettingKeys.Layers, 1, CountMax);
        int predictionLayers = settings.FindInt32(SettingKeys.PredictionLayers, 0, layers - 1) ?? 0;
        return new ModelConfig(
            name,
            settings.Family,
            layers - predictionLayers,
            width,
            settings.GetInt32(SettingKeys.FeedForwardWidth, 1, SizeMax),
            heads,
            kvHeads,
            ReadHeadDim(settings, width, heads),
            settings.GetPositive(SettingKeys.NormEpsilon),
            vocabularySize,
            settings.GetInt32(SettingKeys.ContextLength, 1, int.MaxValue));
    }

    private static int ReadHeadDim(ModelSettings settings, int width, int heads)
    {
        if (settings.FindInt32(SettingKeys.KeyLength, 1, HeadDimMax) is { } headDim)
        {
            return headDim;
        }

        return width % heads == 0 && width / heads <= HeadDimMax
            ? width / heads
            : throw settings.Invalid(SettingKeys.KeyLength, $"is missing, and {heads} heads do not divide the width {width} into heads of at most {HeadDimMax}");
    }
}
