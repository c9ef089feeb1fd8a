using System.Runtime.InteropServices;

namespace Serving.Text.Tokenization.Models;

/// <summary>
/// Word → ids for the words of late. Bounded: a word has one slot and a newcomer takes it. Safe for any number of threads without a
/// lock: an entry is immutable and is published by one reference write.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Longer pieces are rare and not worth keeping.</summary>
    public const int WordLengthMax = 48;

    private const int SlotCount = 1 << 14;

    private readonly Entry?[] _slots = new Entry?[SlotCount];

    public bool TryAppend(ReadOnlySpan<char> word, List<int> output)
    {
        Entry? entry = Volatile.Read(ref _slots[Slot(word)]);
        if (entry is null || !word.SequenceEqual(entry.Word))
        {
            return false;
        }

        if (entry.Ids.Length == 1)
        {
            output.Add(entry.Ids[0]);
        }
        else
        {
            output.AddRange(entry.Ids.AsSpan());
        }

        return true;
    }

    /// <summary>Remembers that <paramref name="word"/> is the part of <paramref name="output"/> from <paramref name="from"/> on.</summary>
    public void Add(ReadOnlySpan<char> word, List<int> output, int from)
    {
        int[] ids = CollectionsMarshal.AsSpan(output)[from..].ToArray();
        Volatile.Write(ref _slots[Slot(word)], new Entry(word.ToString(), ids));
    }

    private static int Slot(ReadOnlySpan<char> word) => string.GetHashCode(word) & (SlotCount - 1);

    private sealed record Entry(string Word, int[] Ids);
}
