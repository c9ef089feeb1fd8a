using System.Threading.Channels;
using Serving.Contracts.Cluster;

namespace Serving.Gateway.Placement;

/// <summary>Lets one reader wait for the cluster to change. A change between two waits is not lost; several count as one.</summary>
internal sealed class ClusterSignal : IDisposable
{
    private readonly IClusterView _cluster;
    private readonly Channel<byte> _changes = Channel.CreateBounded<byte>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public ClusterSignal(IClusterView cluster)
    {
        _cluster = cluster;
        _cluster.Changed += Set;
    }

    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await _changes.Reader.ReadAsync(cancellationToken);

    public void Dispose() => _cluster.Changed -= Set;

    private void Set() => _changes.Writer.TryWrite(0);
}
