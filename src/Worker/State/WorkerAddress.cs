using Microsoft.Extensions.Options;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Worker.State;

/// <summary>Where others reach this worker; known once the server listens.</summary>
internal sealed class WorkerAddress(IServiceProvider services, IOptions<ClusterOptions> cluster)
{
    /// <summary><c>http://host:port</c> of the internal API.</summary>
    public string Value => services.GetInternalAddress();

    /// <summary>The host name or address in it, which is the KV data plane's too.</summary>
    public string Host => string.IsNullOrEmpty(cluster.Value.AdvertiseHost) ? cluster.Value.ListenHost : cluster.Value.AdvertiseHost;
}
