using Microsoft.Extensions.Options;

namespace Serving.Gateway.Batches;

/// <summary>Checks the fields of <see cref="BatchOptions"/>.</summary>
[OptionsValidator]
internal sealed partial class BatchOptionsValidator : IValidateOptions<BatchOptions>;
