using System.Globalization;
using System.Security.Cryptography;
using Serving.Contracts.Cluster;

namespace Serving.Worker;

/// <summary>Who this process is: a new id at every start, so that nobody mistakes a restarted worker for the one that held their KV.</summary>
public sealed record WorkerIdentity(string Id, WorkerRole Role, int Pid, DateTimeOffset StartedAt)
{
    /// <summary>Takes a new id: <c>decode-7f3a91c2</c>.</summary>
    public static WorkerIdentity Create(WorkerRole role, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        string suffix = RandomNumberGenerator.GetHexString(8, lowercase: true);
        return new WorkerIdentity(
            string.Create(CultureInfo.InvariantCulture, $"{(role == WorkerRole.Prefill ? "prefill" : "decode")}-{suffix}"),
            role,
            Environment.ProcessId,
            time.GetUtcNow());
    }
}
