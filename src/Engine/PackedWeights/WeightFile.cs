using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.PackedWeights;

/// <summary>A file of packed weights, mapped: every process that maps it uses the same pages. While it is open nobody deletes it to make room.</summary>
internal sealed unsafe class WeightFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly WeightFileLayout _layout;

    private WeightFile(MappedFile file, WeightFileLayout layout)
    {
        _file = file;
        _layout = layout;
    }

    /// <summary>Maps a file and reads all of it once, to hold it against its hashes. A step reads all of it too, and will find it in memory.</summary>
    /// <param name="damage">What is wrong with the file; null where there is none, or none that can be opened now.</param>
    /// <returns>The file if it is there and whole, else null.</returns>
    /// <exception cref="UnauthorizedAccessException">This process may not read it.</exception>
    public static WeightFile? TryOpen(string path, WeightFileLayout layout, ComputePool pool, out string? damage)
    {
        damage = null;
        MappedFile mapped;
        try
        {
            mapped = MappedFile.Hold(path);
            mapped.UseHugePages();
        }
        catch (IOException)
        {
            return null; // It is not there, or somebody is deleting it.
        }

        var file = new WeightFile(mapped, layout);
        damage = file.FindDamage(pool);
        if (damage is null)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    public PackedMemory Memory(PackedMatrix matrix) => PackedMemory.Shared(_file.Data + _layout.DataOffset + matrix.Offset, matrix.ByteCount);

    public void Dispose() => _file.Dispose();

    private string? FindDamage(ComputePool pool)
    {
        if (_file.Length != _layout.FileBytes)
        {
            return $"it has {_file.Length} bytes, expected {_layout.FileBytes}";
        }

        // The data decide what the hashes must be, and those what the front must be: one comparison covers header, directory, hashes and data.
        byte[] front = _layout.Front(ChunkHashes.Compute(_file.Data + _layout.DataOffset, _layout.DataBytes, pool));
        int same = new ReadOnlySpan<byte>(_file.Data, front.Length).CommonPrefixLength(front);
        return same == front.Length ? null : $"byte {same} of its header is not what it must be, or what that byte says of the data is not true";
    }
}
