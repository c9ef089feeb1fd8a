using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>Where a packed matrix lies: in a buffer of its own or of its model, or in a file that others map too and that its owner keeps mapped as long as the matrix is used.</summary>
internal sealed unsafe class PackedMemory : IDisposable
{
    private readonly NativeBuffer? _own;

    private PackedMemory(byte* address, long byteCount, bool isShared, NativeBuffer? own)
    {
        Address = address;
        ByteCount = byteCount;
        IsShared = isShared;
        _own = own;
    }

    /// <summary>64-byte aligned.</summary>
    public byte* Address { get; }

    public long ByteCount { get; }

    /// <summary>Whether other processes may use the same pages.</summary>
    public bool IsShared { get; }

    /// <summary>Memory that somebody else maps, for reading.</summary>
    public static PackedMemory Shared(byte* address, long byteCount) => new(address, byteCount, isShared: true, own: null);

    /// <summary>A part of a buffer that somebody else disposes of.</summary>
    public static PackedMemory Within(NativeBuffer buffer, long offset, long byteCount) => new(buffer.Address + offset, byteCount, isShared: false, own: null);

    /// <summary>Packs a matrix into a buffer of its own.</summary>
    public static PackedMemory Pack(in RawTensor weights, PackedForm form)
    {
        var own = new NativeBuffer(form.ByteCount(in weights));
        form.Pack(in weights, 0, weights.Outputs, own.Address);
        return new PackedMemory(own.Address, own.ByteCount, isShared: false, own);
    }

    public void Dispose() => _own?.Dispose();
}
