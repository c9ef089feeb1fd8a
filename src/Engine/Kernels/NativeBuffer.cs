using System.Runtime.InteropServices;

namespace Serving.Engine.Kernels;

/// <summary>
/// Zeroed native memory whose first byte is 64-byte aligned. The system backs a large one as it is touched: by huge pages where it has them, for a KV cache is
/// read by pieces of two kilobytes, each of which would miss the processor's table of small pages.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    /// <summary>What every buffer's address is a multiple of, in bytes.</summary>
    public const int Alignment = 64;

    private const int HugePage = 2 << 20;
    private const int AdviseHugePages = 14; // MADV_HUGEPAGE of madvise(2).

    private void* _allocation;

    public NativeBuffer(long byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ByteCount = byteCount;
        int alignment = byteCount < HugePage ? Alignment : HugePage;
        _allocation = NativeMemory.AllocZeroed(checked((nuint)byteCount + (nuint)alignment));
        Address = (byte*)(((nint)_allocation + alignment - 1) & -alignment);
        if (byteCount >= HugePage && OperatingSystem.IsLinux())
        {
            // Advice: where it is not taken, the pages are small. The last, partly used huge page would take more than was asked for.
            _ = Advise(Address, (nuint)(byteCount & -HugePage), AdviseHugePages);
        }
    }

    ~NativeBuffer() => Free();

    public long ByteCount { get; }

    public byte* Address { get; private set; }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* address, nuint length, int advice);

    private void Free()
    {
        NativeMemory.Free(_allocation);
        _allocation = null;
        Address = null;
    }
}
