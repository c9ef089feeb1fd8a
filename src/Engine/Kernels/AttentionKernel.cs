using System.Runtime.CompilerServices;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels.Simd;
using Serving.Engine.KvCache;

namespace Serving.Engine.Kernels;

/// <summary>
/// Attention of a tile of queries over one range of keys: keys are widened once for all queries, or as they are multiplied where the queries are few, and scores
/// and sums of values are products of small matrices (FlashAttention: Dao et al., arXiv 2205.14135). Keys lie across the slots in the cache, so that the slots of a block fill a register and no sum runs
/// across one: all widths give the same bits.
/// </summary>
internal static unsafe class AttentionKernel<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    /// <summary>Slots that are widened at once; blocks of a multiple of it take the fast way.</summary>
    private const int Run = 16;

    /// <summary>Up to so many queries read keys and values where they lie: widening them again for every four queries costs less than storing them once.</summary>
    private const int InPlaceQueriesMax = 4;

    public static void Compute(in AttentionPart part) => Compute<TileStrip<TSimd, TRegister, HalfNumber<TSimd, TRegister>>>(in part);

    /// <typeparam name="THalf">What reads halves where they lie.</typeparam>
    public static void Compute<THalf>(in AttentionPart part)
        where THalf : struct, ITileStrip
    {
        KvCacheLayout layout = part.Kv.Layout;
        if (part.QueryCount > InPlaceQueriesMax || layout.BlockSize % Run != 0 || layout.ValuesInKeys || layout.ValueDim != part.Scratch.ValueStride)
        {
            ComputeTiled(in part);
        }
        else if (layout.DataType == KvDataType.Float32)
        {
            ComputeInPlace<TileStrip<TSimd, TRegister, SingleNumber<TSimd, TRegister>>>(in part);
        }
        else if (layout.DataType == KvDataType.Float16)
        {
            ComputeInPlace<THalf>(in part);
        }
        else
        {
            ComputeInPlace<TileStrip<TSimd, TRegister, SByteNumber<TSimd, TRegister>>>(in part);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ComputeInPlace<TStrip>(in AttentionPart part)
        where TStrip : struct, ITileStrip
    {
        AttentionScratch scratch = part.Scratch;
        KvCacheLayout layout = part.Kv.Layout;
        TileStripWork keys = new()
        {
            A = scratch.Queries,
            AStride = layout.KeyDim * sizeof(float),
            BStride = layout.BlockSize * TStrip.NumberBytes,
            Depth = layout.KeyDim,
            CStride = AttentionPart.RangeKeys * sizeof(float),
        };
        for (int position = part.FirstKey & (-2 * TSimd.Outputs); position < part.EndKey; position += 2 * TSimd.Outputs)
        {
            // Keys that nobody sees may have no block: those beside them are read instead.
            int first = position + TSimd.Outputs > part.FirstKey ? position : position + TSimd.Outputs;
            int second = position + TSimd.Outputs < part.EndKey ? position + TSimd.Outputs : first;
            keys.B0 = part.KeyAddress(first);
            keys.B1 = part.KeyAddress(second);
            keys.Ahead0 = (nint)(part.AddressAfterKey(first) - keys.B0);
            keys.Ahead1 = (nint)(part.AddressAfterKey(second) - keys.B1);
            keys.C = scratch.Scores + (position - part.RangeStart);
            TStrip.Run(in keys, part.QueryCount, accumulate: false);
        }

        if (layout.DataType == KvDataType.Int8)
        {
            LoadScales(in part);
        }

        AttentionSoftmax.Apply(in part);
        TileStripWork values = new()
        {
            AStride = AttentionPart.RangeKeys * sizeof(float),
            BStride = layout.ValueDim * TStrip.NumberBytes,
            CStride = scratch.ValueStride * sizeof(float),
        };
        for (int start = part.FirstKey; start < part.EndKey; start = (start + Run) & -Run)
        {
            byte* address = part.ValueAddress(start);
            values.A = scratch.Scores + (start - part.RangeStart);
            values.Depth = Math.Min(part.EndKey, (start + Run) & -Run) - start;
            values.Ahead0 = values.Ahead1 = (nint)(part.AddressAfterValue(start) - address);
            for (int dim = 0; dim < layout.ValueDim; dim += 2 * TSimd.Outputs)
            {
                values.B0 = address + (dim * TStrip.NumberBytes);
                values.B1 = values.B0 + (TSimd.Outputs * TStrip.NumberBytes);
                values.C = part.Result.Values + dim;
                TStrip.Run(in values, part.QueryCount, accumulate: start != part.FirstKey);
            }
        }
    }

    private static void ComputeTiled(in AttentionPart part)
    {
        AttentionScratch scratch = part.Scratch;
        int keyDim = part.Kv.Layout.KeyDim;
        for (int start = part.FirstKey & -AttentionPart.TileKeys; start < part.EndKey; start += AttentionPart.TileKeys)
        {
            LoadKeys(in part, start, keyDim);
            TileProduct<TSimd, TRegister>.Run(
                scratch.Queries,
                keyDim,
                scratch.Keys,
                AttentionPart.TileKeys,
                keyDim,
                scratch.Scores + (start - part.RangeStart),
                AttentionPart.RangeKeys,
                part.QueryCount,
                AttentionPart.TileKeys,
                accumulate: false);
        }

        if (part.Kv.Layout.DataType == KvDataType.Int8)
        {
            LoadScales(in part);
        }

        AttentionSoftmax.Apply(in part);
        for (int start = part.FirstKey; start < part.EndKey; start = (start + AttentionPart.TileKeys) & -AttentionPart.TileKeys)
        {
            int end = Math.Min(part.EndKey, (start + AttentionPart.TileKeys) & -AttentionPart.TileKeys);
            LoadValues(in part, start, end);
            TileProduct<TSimd, TRegister>.Run(
                scratch.Scores + (start - part.RangeStart),
                AttentionPart.RangeKeys,
                scratch.Values,
                scratch.ValueStride,
                end - start,
                part.Result.Values,
                scratch.ValueStride,
                part.QueryCount,
                scratch.ValueStride,
                accumulate: start != part.FirstKey);
        }
    }

    /// <summary>Widens the first numbers of the keys of a tile. Columns of keys that no query sees keep what they had.</summary>
    private static void LoadKeys(in AttentionPart part, int start, int dims)
    {
        KvCacheLayout layout = part.Kv.Layout;
        if (layout.BlockSize % Run == 0)
        {
            for (int column = 0; column < AttentionPart.TileKeys; column += Run)
            {
                int position = start + column;
                if (position < part.EndKey && position + Run > part.FirstKey)
                {
                    byte* source = part.KeyAddress(position);
                    LoadRun(source, part.AddressAfterKey(position) - source, layout.DataType, layout.BlockSize, dims, part.Scratch.Keys + column);
                }
            }

            return;
        }

        int end = Math.Min(part.EndKey, start + AttentionPart.TileKeys);
        for (int position = Math.Max(part.FirstKey, start); position < end; position++)
        {
            byte* source = part.KeyAddress(position);
            float* to = part.Scratch.Keys + (position - start);
            for (int d = 0; d < dims; d++)
            {
                to[d * AttentionPart.TileKeys] = Widen(source, layout.DataType, d * layout.BlockSize);
            }
        }
    }

    /// <summary>Widens sixteen slots of a block's keys.</summary>
    /// <param name="ahead">Bytes to what is needed one tile later: it is asked for now.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadRun(byte* source, long ahead, KvDataType type, int blockSize, int dims, float* to)
    {
        if (type == KvDataType.Float32)
        {
            for (int d = 0; d < dims; d++, source += blockSize * sizeof(float), to += AttentionPart.TileKeys)
            {
                TSimd.Prefetch(source + ahead);
                for (int lane = 0; lane < Run; lane += TSimd.Outputs)
                {
                    TSimd.Store(TSimd.Load(source + (lane * sizeof(float))), to + lane);
                }
            }

            return;
        }

        if (type == KvDataType.Int8)
        {
            for (int d = 0; d < dims; d++, source += blockSize, to += AttentionPart.TileKeys)
            {
                TSimd.Prefetch(source + ahead);
                for (int lane = 0; lane < Run; lane += TSimd.Outputs)
                {
                    TSimd.Store(TSimd.LoadSByte((sbyte*)source + lane), to + lane);
                }
            }

            return;
        }

        for (int d = 0; d < dims; d++, source += blockSize * sizeof(short), to += AttentionPart.TileKeys)
        {
            TSimd.Prefetch(source + ahead);
            for (int lane = 0; lane < Run; lane += TSimd.Outputs)
            {
                TSimd.Store(TSimd.LoadHalf((short*)source + lane), to + lane);
            }
        }
    }

    /// <summary>Widens the values of the positions from start to end, the first into the first row.</summary>
    private static void LoadValues(in AttentionPart part, int start, int end)
    {
        KvCacheLayout layout = part.Kv.Layout;
        float* to = part.Scratch.Values;
        if (layout.ValuesInKeys)
        {
            LoadKeys(in part, start & -AttentionPart.TileKeys, layout.ValueDim);
            for (int position = start; position < end; position++, to += part.Scratch.ValueStride)
            {
                float* from = part.Scratch.Keys + (position % AttentionPart.TileKeys);
                for (int d = 0; d < layout.ValueDim; d++)
                {
                    to[d] = from[d * AttentionPart.TileKeys];
                }
            }

            return;
        }

        for (int position = start; position < end;)
        {
            int slot = position % layout.BlockSize;
            int slots = Math.Min(layout.BlockSize - slot, end - position);
            byte* source = part.ValueAddress(position);
            LoadRows(source, part.AddressAfterValue(position) - source, layout.DataType, layout.ValueDim, slots, to, part.Scratch.ValueStride);
            position += slots;
            to += slots * part.Scratch.ValueStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadRows(byte* source, long ahead, KvDataType type, int dim, int rows, float* to, int stride)
    {
        if (type == KvDataType.Float32)
        {
            for (int row = 0; row < rows; row++, source += dim * sizeof(float), to += stride)
            {
                for (int i = 0; i < dim * sizeof(float); i += 64)
                {
                    TSimd.Prefetch(source + ahead + i);
                }

                new ReadOnlySpan<float>(source, dim).CopyTo(new Span<float>(to, dim));
            }

            return;
        }

        if (type == KvDataType.Int8)
        {
            for (int row = 0; row < rows; row++, source += dim, to += stride)
            {
                int i = 0;
                for (; i <= dim - TSimd.Outputs; i += TSimd.Outputs)
                {
                    TSimd.Prefetch(source + ahead + i);
                    TSimd.Store(TSimd.LoadSByte((sbyte*)source + i), to + i);
                }

                for (; i < dim; i++)
                {
                    to[i] = Widen(source, type, i);
                }
            }

            return;
        }

        for (int row = 0; row < rows; row++, source += dim * sizeof(short), to += stride)
        {
            int d = 0;
            for (; d <= dim - TSimd.Outputs; d += TSimd.Outputs)
            {
                TSimd.Prefetch(source + ahead + (d * sizeof(short)));
                TSimd.Store(TSimd.LoadHalf((short*)source + d), to + d);
            }

            for (; d < dim; d++)
            {
                to[d] = Widen(source, type, d);
            }
        }
    }

    /// <summary>Fetches the scales of the part's keys and values.</summary>
    private static void LoadScales(in AttentionPart part)
    {
        int blockSize = part.Kv.Layout.BlockSize;
        for (int position = part.FirstKey; position < part.EndKey;)
        {
            int slot = position % blockSize;
            int slots = Math.Min(blockSize - slot, part.EndKey - position);
            BlockId block = part.Blocks[position / blockSize];
            int at = position - part.RangeStart;
            new ReadOnlySpan<float>(part.Kv.KeyScaleAddress(part.Layer, block, part.KvHead, slot), slots)
                .CopyTo(new Span<float>(part.Scratch.KeyScales + at, slots));
            new ReadOnlySpan<float>(part.Kv.ValueScaleAddress(part.Layer, block, part.KvHead, slot), slots)
                .CopyTo(new Span<float>(part.Scratch.ValueScales + at, slots));
            position += slots;
        }
    }

    private static float Widen(byte* source, KvDataType type, int index) => type switch
    {
        KvDataType.Float32 => ((float*)source)[index],
        KvDataType.Float16 => HalfBits.ToSingle(((ushort*)source)[index]),
        _ => ((sbyte*)source)[index],
    };
}
