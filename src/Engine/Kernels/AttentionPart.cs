using Serving.Engine.KvCache;

namespace Serving.Engine.Kernels;

/// <summary>
/// What one call of an attention kernel computes: some queries of one KV head over those of their keys that lie in one range of
/// <see cref="RangeKeys"/> positions. Queries of a KV head are numbered row by row: query <c>i</c> is head <c>i % GroupSize</c> of row <c>i / GroupSize</c>.
/// </summary>
internal readonly unsafe ref struct AttentionPart
{
    /// <summary>
    /// Keys whose weights are relative to one maximum: position 0 begins the first range. Ranges are a property of the positions, never of the step, so a row
    /// adds up the same numbers in the same order in every batch.
    /// </summary>
    public const int RangeKeys = 256;

    /// <summary>Keys that are widened together; a range is a multiple of it.</summary>
    public const int TileKeys = 32;

    /// <summary>Keys, and then values, that are asked for before their use: what memory takes to answer.</summary>
    private const int KeysAhead = 64;

    public required KvStorage Kv { get; init; }

    public required int Layer { get; init; }

    public required int KvHead { get; init; }

    /// <summary>The sequence's block table.</summary>
    public required ReadOnlySpan<BlockId> Blocks { get; init; }

    /// <summary>The first position of the range.</summary>
    public required int RangeStart { get; init; }

    /// <summary>The first position in the range that any of the queries sees; earlier ones are not read.</summary>
    public required int FirstKey { get; init; }

    /// <summary>Past the last position in the range that any of the queries sees.</summary>
    public required int EndKey { get; init; }

    public required int FirstQuery { get; init; }

    public required int QueryCount { get; init; }

    public required int GroupSize { get; init; }

    /// <summary>The position of the sequence's first row in this step.</summary>
    public required int FirstPosition { get; init; }

    public required AttentionShape Shape { get; init; }

    /// <summary>Queries, and room for what the kernel needs.</summary>
    public required AttentionScratch Scratch { get; init; }

    /// <summary>Block table, KV head and positions of what the thread computes next; without blocks nothing is known of it.</summary>
    public ReadOnlySpan<BlockId> NextBlocks { get; init; }

    public int NextKvHead { get; init; }

    public int NextFirstKey { get; init; }

    public int NextEndKey { get; init; }

    /// <summary>What comes of it.</summary>
    public required PartialAttention Result { get; init; }

    /// <summary>Where the key of a position begins.</summary>
    public byte* KeyAddress(int position) =>
        Kv.KeyAddress(Layer, Blocks[position / Kv.Layout.BlockSize], KvHead, position % Kv.Layout.BlockSize);

    /// <summary>Where the value of a position begins.</summary>
    public byte* ValueAddress(int position) =>
        Kv.ValueAddress(Layer, Blocks[position / Kv.Layout.BlockSize], KvHead, position % Kv.Layout.BlockSize);

    /// <summary>What is needed <see cref="KeysAhead"/> keys after a key: a further one, or at the end the first values.</summary>
    public byte* AddressAfterKey(int position)
    {
        int ahead = position + KeysAhead;
        return ahead < EndKey || Kv.Layout.ValuesInKeys
            ? KeyAddress(Math.Min(ahead, EndKey - 1))
            : ValueAddress(Math.Clamp((FirstKey & -KeysAhead) + (ahead % KeysAhead), FirstKey, EndKey - 1));
    }

    /// <summary>What is needed <see cref="KeysAhead"/> values after a value: a further one, or at the end the first keys of the next part.</summary>
    public byte* AddressAfterValue(int position)
    {
        int ahead = position + KeysAhead;
        if (ahead < EndKey || NextBlocks.IsEmpty)
        {
            return ValueAddress(Math.Min(ahead, EndKey - 1));
        }

        int next = Math.Min(NextFirstKey + ahead - EndKey, NextEndKey - 1);
        return Kv.KeyAddress(Layer, NextBlocks[next / Kv.Layout.BlockSize], NextKvHead, slot: 0);
    }

    /// <summary>The positions of the range that a query sees, relative to the range's start; from ≥ to where it sees none.</summary>
    public (int From, int To) KeysOf(int query)
    {
        int position = FirstPosition + ((FirstQuery + query) / GroupSize);
        return (Math.Max(FirstKey, Shape.FirstKey(position)) - RangeStart, Math.Min(EndKey, position + 1) - RangeStart);
    }
}
