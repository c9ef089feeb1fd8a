using Serving.Contracts.Cluster;
using Serving.Worker;

return await WorkerHost.RunAsync(WorkerRole.Decode, args);
