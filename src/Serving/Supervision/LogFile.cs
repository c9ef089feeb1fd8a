namespace Serving.Cli.Supervision;

/// <summary>A process's log of bounded size: when it is full it becomes <c>name.log.1</c>, in place of the one before. Safe from any thread.</summary>
internal sealed class LogFile : IDisposable
{
    /// <summary>What lines begin with that are not the process's own.</summary>
    public const string RemarkPrefix = "-- ";

    public const long BytesMax = 8L << 20;
    private const int TailLines = 20;

    private readonly string _path;
    private readonly long _bytesMax;
    private readonly Queue<string> _tail = new(TailLines);
    private readonly Lock _gate = new();
    private StreamWriter? _writer;

    public LogFile(string path, long bytesMax = BytesMax)
    {
        _path = path;
        _bytesMax = bytesMax;
        _writer = Open();
    }

    public string Path => _path;

    /// <summary>The last lines written, oldest first.</summary>
    public IReadOnlyList<string> Tail
    {
        get
        {
            lock (_gate)
            {
                return [.. _tail];
            }
        }
    }

    public void WriteLine(string line)
    {
        lock (_gate)
        {
            if (_tail.Count == TailLines)
            {
                _tail.Dequeue();
            }

            _tail.Enqueue(line);
            if (_writer is null)
            {
                return;
            }

            if (_writer.BaseStream.Position + line.Length > _bytesMax)
            {
                _writer.Dispose();
                File.Move(_path, _path + ".1", overwrite: true);
                _writer = Open();
            }

            _writer.WriteLine(line);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _writer?.Dispose();
            _writer = null;
        }
    }

    private StreamWriter Open() =>
        new(new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
}
