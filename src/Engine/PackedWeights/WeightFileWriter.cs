using Microsoft.Win32.SafeHandles;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.PackedWeights;

/// <summary>
/// Writes a file of packed weights. It never writes through a mapping: a full disk is then an error and not a signal that kills the process.
/// </summary>
internal sealed unsafe class WeightFileWriter(WeightFileLayout layout, PackingPlan plan, ComputePool pool)
{
    // Packed at a time, unless a single group is larger.
    private const long PieceBytes = 8 << 20;

    private readonly MatrixPacker _packer = new(pool);

    /// <summary>Writes the file beside its place and then moves it there, whole and on the disk, or not at all.</summary>
    /// <exception cref="IOException">The disk is full, or fails.</exception>
    /// <exception cref="UnauthorizedAccessException">This process may not write there.</exception>
    public void Write(string path)
    {
        string draft = WeightCacheFolder.DraftOf(path);
        try
        {
            using (SafeFileHandle file = Create(draft))
            {
                WriteData(file);
            }

            using (SafeFileHandle file = File.OpenHandle(draft, FileMode.Open, FileAccess.Write))
            {
                RandomAccess.Write(file, layout.Front(HashData(draft)), 0);
                RandomAccess.FlushToDisk(file);

                // It was written matrix by matrix, which leaves it in the cache by small pages.
                LinuxFile.DropFromCache(file);
            }

            File.Move(draft, path, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>An empty file with its place on the disk reserved, for its owner alone.</summary>
    private SafeFileHandle Create(string path)
    {
        SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, layout.FileBytes);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return file;
    }

    private void WriteData(SafeFileHandle file)
    {
        foreach (PackedMatrix matrix in plan.Packed)
        {
            matrix.Weight.Data.Read(rows =>
            {
                WriteMatrix(file, matrix, in rows);
                return true;
            });
        }
    }

    private void WriteMatrix(SafeFileHandle file, PackedMatrix matrix, in RawTensor rows)
    {
        long groupBytes = matrix.Form.BytesOf(in rows, PackedForm.GroupOutputs);
        int outputsAtOnce = (int)Math.Min(Math.Max(1, PieceBytes / groupBytes), 1 << 20) * PackedForm.GroupOutputs;
        for (int first = 0; first < rows.Outputs; first += outputsAtOnce)
        {
            int outputs = Math.Min(outputsAtOnce, rows.Outputs - first);
            using var piece = new NativeBuffer(matrix.Form.BytesOf(in rows, outputs));
            _packer.Pack(in rows, matrix.Form, first, outputs, piece.Address);
            RandomAccess.Write(
                file, new ReadOnlySpan<byte>(piece.Address, checked((int)piece.ByteCount)), layout.DataOffset + matrix.Offset + matrix.Form.BytesOf(in rows, first));
        }
    }

    private ulong[] HashData(string path)
    {
        using MappedFile file = MappedFile.Open(path);
        return ChunkHashes.Compute(file.Data + layout.DataOffset, layout.DataBytes, pool);
    }
}
