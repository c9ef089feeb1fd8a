using Serving.Contracts.Cluster;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>How what is known of the workers and what is new come together. Pure; lists are in the order of the workers' ids.</summary>
internal static class ClusterMerge
{
    /// <summary>The entries that were read, and the known ones that are missing among them.</summary>
    public static IReadOnlyList<WorkerEntry> KeepMissing(IReadOnlyList<WorkerEntry> known, IReadOnlyList<WorkerEntry> read) =>
    [
        .. read.UnionBy(known, entry => entry.Registration.Id).OrderBy(entry => entry.Registration.Id, StringComparer.Ordinal),
    ];

    /// <summary>The same list when the report tells nothing new or is of an unknown worker.</summary>
    public static IReadOnlyList<WorkerEntry> WithLoad(IReadOnlyList<WorkerEntry> known, WorkerLoad load)
    {
        var isNews = known.Any(entry => entry.Registration.Id == load.WorkerId && entry.Load != load);
        return isNews
            ? [.. known.Select(entry => entry.Registration.Id == load.WorkerId ? entry with { Load = load } : entry)]
            : known;
    }

    public static bool AreSame(IReadOnlyList<WorkerEntry> left, IReadOnlyList<WorkerEntry> right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        for (var i = 0; i < left.Count; i++)
        {
            if (left[i].Load != right[i].Load || !AreSame(left[i].Registration, right[i].Registration))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Records compare lists by reference, so the models are compared apart.</summary>
    private static bool AreSame(WorkerRegistration left, WorkerRegistration right) =>
        left == (right with { Models = left.Models }) && left.Models.SequenceEqual(right.Models);
}
