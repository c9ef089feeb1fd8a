using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Serving.Text.Tokenization.AddedTokens;

/// <summary>Finds added tokens in a text: the leftmost first, of those that start together the longest. A trie over UTF-16 units.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _tokens = [null];
    private readonly SearchValues<char> _firstCharacters;

    /// <param name="tokens">Each with the form in which the text holds it.</param>
    public AddedTokenMatcher(IEnumerable<(string Form, AddedToken Token)> tokens)
    {
        HashSet<char> first = [];
        foreach ((string form, AddedToken token) in tokens)
        {
            if (form.Length > 0)
            {
                first.Add(form[0]);
                Insert(form, token);
            }
        }

        _firstCharacters = SearchValues.Create([.. first]);
    }

    /// <summary>Cuts <paramref name="text"/> at its added tokens; the segments come in order and are never empty.</summary>
    /// <param name="trusted">Where special tokens are recognised: ascending, disjoint.</param>
    public List<TextSegment> Cut(ReadOnlySpan<char> text, IReadOnlyList<TextRange> trusted)
    {
        List<TextSegment> segments = [];
        int position = 0;
        int from = 0;
        int range = 0;
        while (TryFind(text, from, out int start, out int end, out AddedToken? token))
        {
            while (range < trusted.Count && trusted[range].End <= start)
            {
                range++;
            }

            from = end;
            if (token!.Special && !(range < trusted.Count && start >= trusted[range].Start && end <= trusted[range].End))
            {
                // What reaches into trusted text from outside must not hide a special token that starts there.
                from = range < trusted.Count && start < trusted[range].Start ? Math.Min(end, trusted[range].Start) : end;
                continue;
            }

            if (token.SingleWord && !IsSingleWord(text, start, end))
            {
                continue;
            }

            start = token.StripLeft ? Math.Max(text[..start].TrimEnd().Length, position) : start;
            end = token.StripRight ? text.Length - text[end..].TrimStart().Length : end;
            if (position < start)
            {
                segments.Add(new TextSegment(position, start - position, null));
            }

            segments.Add(new TextSegment(start, end - start, token));
            position = end;
            from = Math.Max(from, end);
        }

        if (position < text.Length)
        {
            segments.Add(new TextSegment(position, text.Length - position, null));
        }

        return segments;
    }

    private bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end, out AddedToken? token)
    {
        for (start = from; start < text.Length; start++)
        {
            int offset = text[start..].IndexOfAny(_firstCharacters);
            if (offset < 0)
            {
                break;
            }

            start += offset;
            token = LongestAt(text, start, out end);
            if (token is not null)
            {
                return true;
            }
        }

        (start, end, token) = (text.Length, text.Length, null);
        return false;
    }

    private AddedToken? LongestAt(ReadOnlySpan<char> text, int start, out int end)
    {
        AddedToken? longest = null;
        end = start;
        int node = 0;
        for (int i = start; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_tokens[node] is AddedToken token)
            {
                (longest, end) = (token, i + 1);
            }
        }

        return longest;
    }

    private void Insert(string form, AddedToken token)
    {
        int node = 0;
        foreach (char c in form)
        {
            ref int next = ref CollectionsMarshal.GetValueRefOrAddDefault(_edges, (node, c), out bool exists);
            if (!exists)
            {
                next = _tokens.Count;
                _tokens.Add(null);
            }

            node = next;
        }

        _tokens[node] = token;
    }

    private static bool IsSingleWord(ReadOnlySpan<char> text, int start, int end)
    {
        Rune.DecodeLastFromUtf16(text[..start], out Rune before, out _);
        Rune.DecodeFromUtf16(text[end..], out Rune after, out _);
        return (start == 0 || !IsWord(before)) && (end == text.Length || !IsWord(after));
    }

    private static bool IsWord(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.ConnectorPunctuation
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.LetterNumber;
}
