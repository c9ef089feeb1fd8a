using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.Models;

/// <summary>Where a weight matrix's rows come from: the mapped file as it lies there, or a rearrangement of it that is made when it is read.</summary>
public abstract class MatrixData
{
    /// <summary>Name, type and size. Its address is that of the mapped rows, or 0 for a rearrangement.</summary>
    public abstract RawTensor Layout { get; }

    /// <summary>Whether the rows lie in the file as the model uses them.</summary>
    public bool IsMapped => Layout.Data != 0;

    /// <summary>Rows that lie in the file as they are used.</summary>
    internal static MatrixData Mapped(in RawTensor tensor) => new MappedData(tensor);

    /// <summary>Rows that are made of others.</summary>
    /// <param name="fill">Writes all rows, one after the other.</param>
    internal static MatrixData Rearranged(string name, GgmlType type, int outputs, int inputs, Action<Span<byte>> fill) =>
        new RearrangedData(name, type, outputs, inputs, fill);

    /// <summary>Gives the rows to <paramref name="use"/>; they are valid as long as it runs.</summary>
    public abstract TResult Read<TResult>(Func<RawTensor, TResult> use);

    private sealed class MappedData(RawTensor tensor) : MatrixData
    {
        public override RawTensor Layout => tensor;

        public override TResult Read<TResult>(Func<RawTensor, TResult> use) => use(tensor);
    }

    private sealed class RearrangedData(string name, GgmlType type, int outputs, int inputs, Action<Span<byte>> fill) : MatrixData
    {
        public override RawTensor Layout { get; } = new(name, type, outputs, inputs, 0, ByteCount(type, outputs, inputs));

        public override unsafe TResult Read<TResult>(Func<RawTensor, TResult> use)
        {
            using var buffer = new NativeBuffer(Layout.ByteCount);
            fill(new Span<byte>(buffer.Address, checked((int)Layout.ByteCount)));
            return use(Layout with { Data = (nint)buffer.Address });
        }

        private static long ByteCount(GgmlType type, int outputs, int inputs) =>
            (long)outputs * (inputs / Formats.Blocks.BlockDecoder.BlockElements(type)) * Formats.Blocks.BlockDecoder.BlockBytes(type);
    }
}
