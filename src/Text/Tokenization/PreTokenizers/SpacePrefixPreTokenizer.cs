namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Puts a space before a piece that has none (ByteLevel's <c>add_prefix_space</c>).</summary>
internal sealed class SpacePrefixPreTokenizer : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, EncodeRun run, int next) =>
        run.Emit(next, text[0] == ' ' ? text : string.Concat(" ", text));
}
