using System.Diagnostics;
using Serving.Engine.Formats;

namespace Serving.TestKit;

/// <summary>What reading a damaged model came to.</summary>
/// <param name="Opened">Whether the damage did not matter; else it was refused, or <paramref name="Failure"/> says otherwise.</param>
/// <param name="Failure">Any exception but the <see cref="ModelFormatException"/> that a refusal is: a bug.</param>
/// <param name="AllocatedBytes">By the reading.</param>
public sealed record FormatOutcome(bool Opened, Exception? Failure, long AllocatedBytes, TimeSpan Elapsed);

/// <summary>A small right model in a folder of its own, of which one file is damaged again and again.</summary>
public sealed class FormatTarget : IDisposable
{
    /// <summary>Memory holds the files where it can: they are written a hundred thousand times.</summary>
    private static readonly string _root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    private readonly byte[] _original;
    private readonly string _path;
    private readonly Func<byte[], Random, byte[]> _mutate;
    private readonly Action<string> _read;

    /// <param name="write">Writes the model into a folder.</param>
    /// <param name="file">The file that is damaged.</param>
    /// <param name="read">Reads the model from the folder.</param>
    public FormatTarget(string name, Action<string> write, string file, Func<byte[], Random, byte[]> mutate, Action<string> read)
    {
        Name = name;
        Folder = Path.Combine(_root, $"serving-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Folder);
        write(Folder);
        _path = Path.Combine(Folder, file);
        _original = File.ReadAllBytes(_path);
        _mutate = mutate;
        _read = read;
    }

    public string Name { get; }

    /// <summary>Where the model lies, and after a crash the input that caused it.</summary>
    public string Folder { get; }

    /// <summary>Reads the model without damage, which must succeed.</summary>
    public void ReadOriginal()
    {
        File.WriteAllBytes(_path, _original);
        _read(Folder);
    }

    /// <summary>Damages the file and reads the model; the same seed gives the same damage.</summary>
    public FormatOutcome Try(int seed)
    {
        File.WriteAllBytes(_path, _mutate(_original, new Random(seed)));
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        bool opened = false;
        Exception? failure = null;
        try
        {
            _read(Folder);
            opened = true;
        }
        catch (ModelFormatException)
        {
            // Refused, as it should be.
        }
#pragma warning disable CA1031 // Whatever else is thrown is what is looked for.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }

        return new FormatOutcome(opened, failure, GC.GetAllocatedBytesForCurrentThread() - allocated, Stopwatch.GetElapsedTime(start));
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
