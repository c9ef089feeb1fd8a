using System.Runtime.InteropServices;

namespace Serving.Engine.Kernels;

/// <summary>
/// Zeroed native memory whose first byte is 64-byte aligned. The system backs a large one as it is touched: by huge pages where it has them, for a step
/// reads the weights and the KV cache once, and small pages would cost it tens of thousands of walks through the page tables.
/// </summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>What every buffer's address is a multiple of, in bytes.</summary>
    public const int Alignment = 64;

    private void* _allocation;

    public NativeBuffer(long byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ByteCount = byteCount;
        int alignment = byteCount < SystemMemory.HugePage ? Alignment : SystemMemory.HugePage;
        _allocation = NativeMemory.AllocZeroed(checked((nuint)byteCount + (nuint)alignment));
        Address = (byte*)(((nint)_allocation + alignment - 1) & -alignment);
        SystemMemory.UseHugePages(Address, byteCount);
    }

    ~NativeBuffer() => Free();

    public long ByteCount { get; }

    public byte* Address { get; private set; }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free(_allocation);
        _allocation = null;
        Address = null;
    }
}
