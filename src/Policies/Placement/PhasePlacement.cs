using Serving.Contracts.Cluster;

namespace Serving.Policies.Placement;

/// <summary>Where the two phases of a request are to run.</summary>
/// <param name="Decode">The worker that generates, and answers the gateway.</param>
/// <param name="Prefill">The worker that computes the prompt; null: the decode worker does so itself.</param>
/// <param name="Model">The model as the decode worker serves it.</param>
public sealed record PhasePlacement(WorkerRegistration Decode, WorkerRegistration? Prefill, ServedModel Model);
