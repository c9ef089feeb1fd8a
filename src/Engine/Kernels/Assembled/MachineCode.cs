using System.IO.MemoryMappedFiles;
using Iced.Intel;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>Machine code of this process, written through one mapping and run through another: no page is both writable and executable. It lives as long as the process.</summary>
internal sealed unsafe class MachineCode
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _executable;
    private readonly byte* _address;

    private MachineCode(ReadOnlySpan<byte> code)
    {
        _file = MemoryMappedFile.CreateNew(null, code.Length, MemoryMappedFileAccess.ReadWriteExecute);
        using (MemoryMappedViewStream writable = _file.CreateViewStream(0, code.Length, MemoryMappedFileAccess.ReadWrite))
        {
            writable.Write(code);
        }

        _executable = _file.CreateViewAccessor(0, code.Length, MemoryMappedFileAccess.ReadExecute);
        _executable.SafeMemoryMappedViewHandle.AcquirePointer(ref _address);
    }

    /// <summary>Assembles functions, one after the other.</summary>
    /// <param name="code">Keeps the functions alive; null where the system lets no process make code.</param>
    /// <returns>Their addresses; empty without code.</returns>
    public static nint[] Assemble(ReadOnlySpan<Action<Assembler>> functions, out MachineCode? code)
    {
        using MemoryStream bytes = new();
        int[] offsets = new int[functions.Length];
        for (int i = 0; i < functions.Length; i++)
        {
            // Entries on cache lines; what a function loads from lies before it or in its registers, so that it runs at any address.
            bytes.SetLength((bytes.Length + 63) & ~63L);
            bytes.Position = bytes.Length;
            offsets[i] = (int)bytes.Length;
            Assembler assembler = new(bitness: 64);
            functions[i](assembler);
            assembler.Assemble(new StreamCodeWriter(bytes), (ulong)bytes.Position);
        }

        try
        {
            code = new MachineCode(bytes.ToArray());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            code = null;
            return [];
        }

        nint[] addresses = new nint[functions.Length];
        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i] = (nint)(code._address + offsets[i]);
        }

        return addresses;
    }
}
