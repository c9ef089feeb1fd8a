using System.Runtime.InteropServices;

namespace Serving.Engine.Kernels;

/// <summary>Zeroed native memory whose first byte is 64-byte aligned. The system backs a large one page by page, as it is touched.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>What every buffer's address is a multiple of, in bytes.</summary>
    public const int Alignment = 64;

    private void* _allocation;

    public NativeBuffer(long byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ByteCount = byteCount;
        _allocation = NativeMemory.AllocZeroed(checked((nuint)byteCount + Alignment));
        Address = (byte*)(((nint)_allocation + Alignment - 1) & -Alignment);
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
