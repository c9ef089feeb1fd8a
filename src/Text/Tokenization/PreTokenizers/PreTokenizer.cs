namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>A stage that cuts text into pieces which the model encodes one by one.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Hands the pieces of <paramref name="text"/> in order to <paramref name="run"/>'s stage <paramref name="next"/>.</summary>
    public abstract void Split(ReadOnlySpan<char> text, EncodeRun run, int next);
}
