namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Matches <c>\w+|[^\w\s]+</c>.</summary>
internal sealed class WordPattern : ISplitPattern
{
    private const CharacterClass Word = CharacterClass.Letter | CharacterClass.Mark | CharacterClass.Number | CharacterClass.Connector;

    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        start = from;
        while (start < text.Length && (CharacterClasses.At(text, start, out _) & CharacterClass.WhiteSpace) != 0)
        {
            start++;
        }

        end = start;
        while (end < text.Length)
        {
            CharacterClass found = CharacterClasses.At(text, end, out int length);
            if ((found & CharacterClass.WhiteSpace) != 0 || IsWord(found) != IsWord(CharacterClasses.At(text, start, out _)))
            {
                break;
            }

            end += length;
        }

        return end > start;
    }

    private static bool IsWord(CharacterClass found) => (found & Word) != 0;
}
