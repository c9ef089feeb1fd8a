using Microsoft.Extensions.Options;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>Checks the fields of <see cref="ClusterOptions"/>.</summary>
[OptionsValidator]
internal sealed partial class ClusterOptionsValidator : IValidateOptions<ClusterOptions>;
