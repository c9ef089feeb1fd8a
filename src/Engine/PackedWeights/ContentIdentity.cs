using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.PackedWeights;

/// <summary>
/// A hash of everything that a model's files hold. It is taken once for each state of the files and then looked up by their stamps (inode, size, times), so that a start
/// does not read a large model only to find out that it knows it. A file of the folder holds each: the stamps' hash is its name.
/// </summary>
internal sealed class ContentIdentity(string folder, ComputePool pool, TimeProvider time)
{
    public const string RecordSuffix = ".source";

    /// <summary>A hash, and its own hash.</summary>
    private const int RecordBytes = 16 + sizeof(ulong);

    // A file that changed this lately may change again without its times telling.
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(2);

    public UInt128 Find(ModelSource source)
    {
        if (FindStamps(source) is not { } stamps)
        {
            return Compute(source);
        }

        string record = Path.Combine(folder, $"{XxHash128.HashToUInt128(MemoryMarshal.AsBytes<FileStamp>(stamps)):x32}{RecordSuffix}");
        if (Read(record) is { } known)
        {
            return known;
        }

        UInt128 identity = Compute(source);
        if (FindStamps(source) is { } after && after.AsSpan().SequenceEqual(stamps) && AreSettled(stamps))
        {
            Write(record, identity);
        }

        return identity;
    }

    private unsafe UInt128 Compute(ModelSource source)
    {
        using var settings = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        source.AppendIdentity(settings);
        var hash = new XxHash128();
        hash.Append(settings.GetHashAndReset());
        foreach (MappedFile file in source.Files)
        {
            hash.Append(BitConverter.GetBytes(file.Length));
            hash.Append(MemoryMarshal.AsBytes<ulong>(ChunkHashes.Compute(file.Data, file.Length, pool)));
        }

        return hash.GetCurrentHashAsUInt128();
    }

    /// <summary>The stamps of the files that are mapped; null where one is not to be had, or is another file's that has taken the path meanwhile.</summary>
    private static FileStamp[]? FindStamps(ModelSource source)
    {
        var stamps = new FileStamp[source.Files.Count];
        for (int i = 0; i < stamps.Length; i++)
        {
            MappedFile file = source.Files[i];
            if (LinuxFile.FindStamp(file.Path) is not { } stamp
                || stamp.Length != file.Length
                || stamp.ModifiedNanoseconds / 100 != (file.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks)
            {
                return null;
            }

            stamps[i] = stamp;
        }

        return stamps;
    }

    private bool AreSettled(FileStamp[] stamps)
    {
        long settled = (time.GetUtcNow() - SettledAfter - DateTimeOffset.UnixEpoch).Ticks * 100;
        return Array.TrueForAll(stamps, stamp => stamp.ModifiedNanoseconds < settled && stamp.ChangedNanoseconds < settled);
    }

    private static UInt128? Read(string path)
    {
        try
        {
            byte[] record = File.ReadAllBytes(path);
            return record.Length == RecordBytes && XxHash3.HashToUInt64(record.AsSpan(0, 16)) == BinaryPrimitives.ReadUInt64LittleEndian(record.AsSpan(16))
                ? BinaryPrimitives.ReadUInt128LittleEndian(record)
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Write(string path, UInt128 identity)
    {
        Span<byte> record = stackalloc byte[RecordBytes];
        BinaryPrimitives.WriteUInt128LittleEndian(record, identity);
        BinaryPrimitives.WriteUInt64LittleEndian(record[16..], XxHash3.HashToUInt64(record[..16]));
        try
        {
            string draft = WeightCacheFolder.DraftOf(path);
            File.WriteAllBytes(draft, record);
            File.Move(draft, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next start reads the files again; whether the folder can be written to at all is told when weights are to be.
        }
    }
}
