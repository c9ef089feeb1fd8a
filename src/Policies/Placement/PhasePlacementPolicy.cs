using Serving.Contracts.Cluster;

namespace Serving.Policies.Placement;

/// <summary>
/// Chooses a decode and a prefill worker for each request by joining the shortest queue (Patel et al., "Splitwise: Efficient
/// Generative LLM Inference Using Phase Splitting", ISCA 2024, §4.1): the prefill worker with the fewest pending prompt tokens, the decode
/// worker whose KV cache is emptiest and, among equals, the one with the fewest sequences. Workers that are still equal take turns.
/// Only workers that agree on the model's KV fingerprint are paired, and a decode worker that has such a partner goes first.
/// Thread-safe.
/// </summary>
public sealed class PhasePlacementPolicy
{
    private readonly Lock _lock = new();
    private readonly UnreportedLoad _unreported = new();
    private uint _turn;

    /// <summary>Null when no worker that may be chosen decodes the model.</summary>
    public PhasePlacement? Place(ClusterSnapshot cluster, PlacementRequest request)
    {
        lock (_lock)
        {
            _unreported.Forget(cluster);
            var turn = _turn++;
            var decode = ChooseDecode(cluster, request, turn);
            if (decode is null)
            {
                return null;
            }

            var model = Serves(decode.Registration, request.Model)!;
            var prefill = ChoosePrefill(cluster, request, model.KvFingerprint, turn);
            _unreported.Add(decode, promptTokens: prefill is null ? request.PromptTokensEstimate : 0);
            if (prefill is not null)
            {
                _unreported.Add(prefill, request.PromptTokensEstimate);
            }

            return new PhasePlacement(decode.Registration, prefill?.Registration, model);
        }
    }

    /// <summary>
    /// Chooses the worker of a prompt that has no answer, such as texts to embed: the prefill worker with the fewest pending prompt tokens; where no prefill worker serves
    /// the model, a decode worker, which computes prompts then too. Null when none does.
    /// </summary>
    public WorkerRegistration? PlacePrompt(ClusterSnapshot cluster, PlacementRequest request)
    {
        lock (_lock)
        {
            _unreported.Forget(cluster);
            var turn = _turn++;
            var worker = ChoosePrefill(cluster, request, fingerprint: null, turn) ?? ChooseDecode(cluster, request, turn);
            if (worker is not null)
            {
                _unreported.Add(worker, request.PromptTokensEstimate);
            }

            return worker?.Registration;
        }
    }

    private WorkerEntry? ChooseDecode(ClusterSnapshot cluster, PlacementRequest request, uint turn)
    {
        WorkerEntry? best = null;
        var bestKey = default((bool, double, long));
        foreach (var worker in InTurn(cluster.Workers, turn))
        {
            if (!MayTake(worker, WorkerRole.Decode, request, request.DecodeWorkerPinned))
            {
                continue;
            }

            var fingerprint = Serves(worker.Registration, request.Model)!.KvFingerprint;
            var key = (!HasPartner(cluster, request, fingerprint), KvFraction(worker.Load), Sequences(worker));
            if (best is null || key.CompareTo(bestKey) < 0)
            {
                (best, bestKey) = (worker, key);
            }
        }

        return best;
    }

    private WorkerEntry? ChoosePrefill(ClusterSnapshot cluster, PlacementRequest request, string? fingerprint, uint turn)
    {
        WorkerEntry? best = null;
        var bestKey = default((long, long));
        foreach (var worker in InTurn(cluster.Workers, turn))
        {
            if (!MayPrefill(worker, request, fingerprint))
            {
                continue;
            }

            var pendingPromptTokens = (worker.Load?.PendingPromptTokens ?? 0) + _unreported.PromptTokens(worker);
            var key = (pendingPromptTokens, Sequences(worker));
            if (best is null || key.CompareTo(bestKey) < 0)
            {
                (best, bestKey) = (worker, key);
            }
        }

        return best;
    }

    private static bool HasPartner(ClusterSnapshot cluster, PlacementRequest request, string fingerprint)
    {
        foreach (var worker in cluster.Workers)
        {
            if (MayPrefill(worker, request, fingerprint))
            {
                return true;
            }
        }

        return false;
    }

    /// <param name="fingerprint">Of the KV cache that it is to make; null: any.</param>
    private static bool MayPrefill(WorkerEntry worker, PlacementRequest request, string? fingerprint) =>
        MayTake(worker, WorkerRole.Prefill, request, request.PrefillWorkerPinned)
        && (fingerprint is null || Serves(worker.Registration, request.Model)!.KvFingerprint == fingerprint);

    private static bool MayTake(WorkerEntry worker, WorkerRole role, PlacementRequest request, string? pinned) =>
        worker.Registration.Role == role
        && !worker.Registration.Draining
        && (pinned is null || pinned == worker.Registration.Id)
        && !request.ExcludedWorkers.Contains(worker.Registration.Id)
        && Serves(worker.Registration, request.Model) is not null;

    private static ServedModel? Serves(WorkerRegistration worker, string model)
    {
        foreach (var served in worker.Models)
        {
            if (served.Name == model)
            {
                return served;
            }
        }

        return null;
    }

    private static double KvFraction(WorkerLoad? load) =>
        load is { KvBlocksTotal: > 0 } ? (double)load.KvBlocksUsed / load.KvBlocksTotal : 0;

    private long Sequences(WorkerEntry worker) =>
        (worker.Load is { } load ? load.RunningSequences + load.WaitingSequences : 0) + _unreported.Sequences(worker);

    /// <summary>The workers from a place that moves by one with each request: whoever comes first wins a tie.</summary>
    private static IEnumerable<WorkerEntry> InTurn(IReadOnlyList<WorkerEntry> workers, uint turn)
    {
        for (var i = 0; i < workers.Count; i++)
        {
            yield return workers[(int)((turn + (uint)i) % (uint)workers.Count)];
        }
    }
}
