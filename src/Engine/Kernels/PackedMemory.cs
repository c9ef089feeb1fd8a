using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>Where a packed matrix lies: in a buffer of its own, or in a file that others map too and that its owner keeps mapped as long as the matrix is used.</summary>
internal sealed unsafe class PackedMemory : IDisposable
{
    private readonly NativeBuffer? _own;

    private PackedMemory(byte* address, long byteCount, NativeBuffer? own)
    {
        Address = address;
        ByteCount = byteCount;
        _own = own;
    }

    /// <summary>64-byte aligned.</summary>
    public byte* Address { get; }

    public long ByteCount { get; }

    public bool IsShared => _own is null;

    /// <summary>Memory that somebody else maps, for reading.</summary>
    public static PackedMemory Shared(byte* address, long byteCount) => new(address, byteCount, own: null);

    /// <summary>A zeroed buffer of the matrix's own.</summary>
    public static PackedMemory Allocate(in RawTensor weights, PackedForm form)
    {
        var own = new NativeBuffer(form.ByteCount(in weights));
        return new PackedMemory(own.Address, own.ByteCount, own);
    }

    /// <summary>Packs a matrix into a buffer of its own.</summary>
    public static PackedMemory Pack(in RawTensor weights, PackedForm form)
    {
        PackedMemory memory = Allocate(in weights, form);
        form.Pack(in weights, 0, weights.Outputs, memory.Address);
        return memory;
    }

    public void Dispose() => _own?.Dispose();
}
