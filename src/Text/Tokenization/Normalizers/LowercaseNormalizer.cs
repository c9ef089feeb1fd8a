namespace Serving.Text.Tokenization.Normalizers;

/// <summary>Lower case, character by character, after Unicode's full mapping: only İ becomes two characters.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    public override string Normalize(string text) =>
        text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
}
