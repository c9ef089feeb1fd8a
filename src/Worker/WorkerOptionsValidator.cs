using Microsoft.Extensions.Options;

namespace Serving.Worker;

/// <summary>The fields by their attributes; every model's too.</summary>
[OptionsValidator]
internal sealed partial class WorkerOptionsValidator : IValidateOptions<WorkerOptions>;
