namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Writes spaces as a visible character, puts one before the text, and cuts before each.</summary>
internal sealed class MetaspacePreTokenizer(char replacement, MetaspacePrepend prepend, bool split) : PreTokenizer
{
    private readonly SplitPreTokenizer _splitter = new(new LiteralPattern(replacement.ToString()), SplitBehavior.MergedWithNext);

    public override void Split(ReadOnlySpan<char> text, EncodeRun run, int next)
    {
        string spaced = text.ToString().Replace(' ', replacement);
        bool wanted = prepend == MetaspacePrepend.Always || (prepend == MetaspacePrepend.First && run.AtTextStart);
        if (wanted && spaced[0] != replacement)
        {
            spaced = replacement + spaced;
        }

        if (split)
        {
            _splitter.Split(spaced, run, next);
        }
        else
        {
            run.Emit(next, spaced);
        }
    }
}
