using Serving.Contracts.Cluster;
using Serving.Transfer;
using Serving.Worker.Loop;
using Serving.Worker.Models;

namespace Serving.Worker.State;

/// <summary>The worker's load and state, summed over its models.</summary>
internal sealed class WorkerStatus(IModelSet models, WorkerIdentity identity, KvTransferMetrics transfers, WorkerAddress address, KvReceiver? receiver = null)
{
    public WorkerRegistration Registration() =>
        new(identity.Id, identity.Role, address.Value, models.Served(), identity.Pid, identity.StartedAt, Draining: false);

    public WorkerLoad Load()
    {
        int running = 0, waiting = 0, used = 0, total = 0;
        long pending = 0;
        foreach (ModelRuntime model in models.Models)
        {
            EngineSnapshot engine = model.Engine.Snapshot;
            running += engine.Running;
            waiting += engine.Waiting + engine.WaitingForRemoteKv;
            pending += engine.PendingPromptTokens;
            used += engine.KvBlocksUsed;
            total += engine.KvBlocksTotal;
        }

        pending += models.Embedders.Sum(embedder => embedder.Queue.PendingTokens);
        return new WorkerLoad(identity.Id, running, waiting, pending, used, total);
    }

    public WorkerState State()
    {
        long computed = 0, generated = 0;
        foreach (ModelRuntime model in models.Models)
        {
            EngineSnapshot engine = model.Engine.Snapshot;
            computed += engine.ComputedPromptTokens;
            generated += engine.GeneratedTokens;
        }

        KvTransferSnapshot moved = transfers.Snapshot;
        return new WorkerState(
            Registration(),
            Load(),
            receiver?.OpenLeases ?? 0,
            computed,
            generated,
            moved.BytesReceived,
            moved.BytesSent,
            models.Models.Count > 0 ? models.Models[0].Executor.Model.ComputePath : "",
            Memory());
    }

    private WorkerMemory Memory()
    {
        long kv = 0, own = 0, mapped = 0, scratch = 0;
        foreach (ModelRuntime model in models.Models)
        {
            kv += model.Memory.KvBytes;
            own += model.Memory.OwnWeightBytes;
            mapped += model.Memory.MappedWeightBytes;
            scratch += model.Memory.ScratchBytes;
        }

        own += models.Embedders.Sum(embedder => embedder.FileBytes);
        ProcessMemory process = ProcessMemory.Read();
        return new WorkerMemory(
            kv,
            own,
            mapped,
            scratch,
            GC.GetTotalMemory(forceFullCollection: false),
            GC.CollectionCount(0),
            GC.GetTotalPauseDuration().TotalMilliseconds,
            process.ResidentBytes,
            process.ResidentFileBytes);
    }
}
