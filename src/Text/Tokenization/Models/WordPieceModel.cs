namespace Serving.Text.Tokenization.Models;

/// <summary>WordPiece (Devlin et al., "BERT"): from left to right the longest token that fits; a word with no way through is unknown.</summary>
internal sealed class WordPieceModel : ITokenModel
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _first;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _continuing;
    private readonly int _unknownId;
    private readonly int _wordCharactersMax;
    private readonly int _tokenLengthMax;

    /// <param name="first">Tokens that begin a word.</param>
    /// <param name="continuing">Tokens that go on with one, without their mark (<c>##</c>).</param>
    public WordPieceModel(Dictionary<string, int> first, Dictionary<string, int> continuing, int unknownId, int wordCharactersMax)
    {
        _first = first.GetAlternateLookup<ReadOnlySpan<char>>();
        _continuing = continuing.GetAlternateLookup<ReadOnlySpan<char>>();
        _unknownId = unknownId;
        _wordCharactersMax = wordCharactersMax;
        _tokenLengthMax = first.Keys.Concat(continuing.Keys).Select(token => token.Length).DefaultIfEmpty().Max();
    }

    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        int from = output.Count;
        bool fits = CountCharacters(piece) <= _wordCharactersMax;
        for (int start = 0; fits && start < piece.Length;)
        {
            int length = LongestToken(piece[start..], start == 0, out int id);
            fits = length > 0;
            start += length;
            output.Add(id);
        }

        if (!fits)
        {
            output.RemoveRange(from, output.Count - from);
            output.Add(_unknownId);
        }
    }

    private int LongestToken(ReadOnlySpan<char> rest, bool isFirst, out int id)
    {
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> tokens = isFirst ? _first : _continuing;
        for (int length = Math.Min(rest.Length, _tokenLengthMax); length > 0; length--)
        {
            if (tokens.TryGetValue(rest[..length], out id))
            {
                return length;
            }
        }

        id = _unknownId;
        return 0;
    }

    private static int CountCharacters(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (char c in text)
        {
            count += char.IsLowSurrogate(c) ? 0 : 1;
        }

        return count;
    }
}
