namespace Serving.Text.Tokenization.Normalizers;

/// <summary>A stage that rewrites text before it is split.</summary>
internal abstract class Normalizer
{
    public abstract string Normalize(string text);
}
