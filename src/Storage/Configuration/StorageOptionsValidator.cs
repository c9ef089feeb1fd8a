using Microsoft.Extensions.Options;

namespace Serving.Storage.Configuration;

/// <summary>Checks the fields of <see cref="StorageOptions"/>.</summary>
[OptionsValidator]
internal sealed partial class StorageOptionsValidator : IValidateOptions<StorageOptions>;
