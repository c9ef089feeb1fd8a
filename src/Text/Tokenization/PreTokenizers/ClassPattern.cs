namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Matches each single character that is in one of some classes.</summary>
internal sealed class ClassPattern(CharacterClass classes) : ISplitPattern
{
    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        int length;
        for (start = from; start < text.Length; start += length)
        {
            if ((CharacterClasses.At(text, start, out length) & classes) != 0)
            {
                end = start + length;
                return true;
            }
        }

        end = start;
        return false;
    }
}
