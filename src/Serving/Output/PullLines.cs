using Serving.Cli.Hub;
using Serving.Cli.Machine;

namespace Serving.Cli.Output;

/// <summary>How a pull goes, in plain lines for a file or a pipe: one for each file, and one every ten seconds in between.</summary>
internal sealed class PullLines(TextWriter output, TimeProvider time) : IPullProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long _said = time.GetTimestamp();
    private long _here;
    private long _total;

    public void Begin(IReadOnlyList<HubFile> files)
    {
        _total = files.DistinctBy(file => file.Identity).Sum(file => file.Size);
        output.WriteLine($"Fetching {files.Count} {(files.Count == 1 ? "file" : "files")}, {ByteSize.Format(_total)}");
    }

    public void Advance(HubFile file, long bytes)
    {
        lock (_gate)
        {
            _here += bytes;
            if (time.GetElapsedTime(_said) >= Interval)
            {
                _said = time.GetTimestamp();
                output.WriteLine($"{ByteSize.Format(_here)} of {ByteSize.Format(_total)}");
            }
        }
    }

    public void Done(HubFile file)
    {
        lock (_gate)
        {
            output.WriteLine($"{file.Name}: {ByteSize.Format(file.Size)}, hash is right");
        }
    }
}
