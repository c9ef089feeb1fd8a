using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Serving.Kernels.Bench.Torch;

/// <summary>
/// Makes the copy of libLibTorchSharp.so beside this program loadable where libstdc++ is older than the one it was linked with (Debian 12, Ubuntu 22.04).
/// All that it needs of version GLIBCXX_3.4.32 is an empty marker function. The reference to it is given the name of another function without arguments
/// that every libstdc++ has, and no version, and the version is marked as one that may lack. Offsets are those of the ELF-64 specification and of the
/// Linux Standard Base's chapter on symbol versions.
/// </summary>
internal static class TorchLibrary
{
    private const uint DynamicSymbols = 11;
    private const uint VersionsNeeded = 0x6ffffffe;
    private const uint SymbolVersions = 0x6fffffff;
    private const int SymbolBytes = 24;
    private const ushort GlobalUnversioned = 1;
    private const ushort Weak = 2;

    private const string Version = "GLIBCXX_3.4.32";
    private const string Marker = "_ZSt21ios_base_library_initv";
    private const string Replacement = "_ZSt13get_terminatev";

    /// <summary>To be called before anything of TorchSharp.</summary>
    public static void MakeLoadable()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        if (!File.Exists(path) || NativeLibrary.TryLoad(path, out _))
        {
            return;
        }

        byte[] elf = File.ReadAllBytes(path);
        Rewrite(elf);
        // Not in place: a build may have linked the file to the package's own.
        File.Delete(path);
        File.WriteAllBytes(path, elf);
    }

    private static void Rewrite(Span<byte> elf)
    {
        (Range symbols, int names) = Section(elf, DynamicSymbols);
        (Range strings, _) = SectionAt(elf, names);
        Span<byte> text = elf[strings];
        Span<byte> versions = elf[Section(elf, SymbolVersions).Range];
        Span<byte> table = elf[symbols];
        for (int i = 0; i * SymbolBytes < table.Length; i++)
        {
            Span<byte> name = text[BinaryPrimitives.ReadInt32LittleEndian(table[(i * SymbolBytes)..])..];
            if (Is(name, Marker))
            {
                Encoding.ASCII.GetBytes(Replacement + '\0', name);
                BinaryPrimitives.WriteUInt16LittleEndian(versions[(i * sizeof(ushort))..], GlobalUnversioned);
            }
        }

        Weaken(elf[Section(elf, VersionsNeeded).Range], text);
    }

    /// <summary>Marks the version as weak in every library's list of what is needed of it.</summary>
    private static void Weaken(Span<byte> needs, Span<byte> text)
    {
        for (int library = 0, next = -1; next != 0; library += next)
        {
            int version = library + BinaryPrimitives.ReadInt32LittleEndian(needs[(library + 8)..]);
            for (int count = BinaryPrimitives.ReadUInt16LittleEndian(needs[(library + 2)..]); count > 0; count--)
            {
                if (Is(text[BinaryPrimitives.ReadInt32LittleEndian(needs[(version + 8)..])..], Version))
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(needs[(version + 4)..], Weak);
                }

                version += BinaryPrimitives.ReadInt32LittleEndian(needs[(version + 12)..]);
            }

            next = BinaryPrimitives.ReadInt32LittleEndian(needs[(library + 12)..]);
        }
    }

    private static bool Is(ReadOnlySpan<byte> name, string text) => name[..(text.Length + 1)].SequenceEqual(Encoding.ASCII.GetBytes(text + '\0'));

    private static (Range Range, int Link) Section(ReadOnlySpan<byte> elf, uint type)
    {
        for (int i = 0; i < BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3C..]); i++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(elf[(Header(elf, i) + 4)..]) == type)
            {
                return SectionAt(elf, i);
            }
        }

        throw new BadImageFormatException($"libLibTorchSharp.so has no section of type {type:x}.");
    }

    private static (Range Range, int Link) SectionAt(ReadOnlySpan<byte> elf, int index)
    {
        ReadOnlySpan<byte> header = elf[Header(elf, index)..];
        int offset = (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x18..]);
        int size = (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x20..]);
        return (offset..(offset + size), BinaryPrimitives.ReadInt32LittleEndian(header[0x28..]));
    }

    private static int Header(ReadOnlySpan<byte> elf, int index) =>
        (int)BinaryPrimitives.ReadInt64LittleEndian(elf[0x28..]) + (index * BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3A..]));
}
