using Serving.Storage.Tests.Support;

namespace Serving.Gateway.Tests.Support;

/// <summary>What gateways store, and share if they are several: a folder, and what stands for Redis.</summary>
internal sealed class TestStorage : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serving-gateway-");

    public TestStorage()
    {
        Documents = new MemoryDocumentStore(Time);
        Leases = new MemoryLeaseStore(Time);
    }

    public ShiftedTime Time { get; } = new();

    public MemoryDocumentStore Documents { get; }

    public MemoryLeaseStore Leases { get; }

    public string Folder => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The system's time, moved; timers run as they are.</summary>
    internal sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
