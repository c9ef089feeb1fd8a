using System.Net;
using Microsoft.Extensions.Options;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>Checks what attributes cannot say: addresses, and the pair of listening and advertised host.</summary>
internal sealed class ClusterAddressValidator : IValidateOptions<ClusterOptions>
{
    public ValidateOptionsResult Validate(string? name, ClusterOptions options)
    {
        if (!InternalAddress.TryParse(options.ListenHost, out var address))
        {
            return ValidateOptionsResult.Fail($"Cluster:ListenHost '{options.ListenHost}' is not an IP address: use one such as 127.0.0.1 or 0.0.0.0.");
        }

        var any = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        return any && string.IsNullOrEmpty(options.AdvertiseHost)
            ? ValidateOptionsResult.Fail($"Cluster:AdvertiseHost is missing: with Cluster:ListenHost {address} others need a name to reach this host at.")
            : ValidateOptionsResult.Success;
    }
}
