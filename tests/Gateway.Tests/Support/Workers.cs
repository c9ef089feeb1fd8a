using Serving.Contracts.Cluster;

namespace Serving.Gateway.Tests.Support;

internal static class Workers
{
    public const string Model = "smollm2-135m-instruct";

    public static ServedModel Served(string name = Model, string fingerprint = "kv0123456789abcdef") =>
        new(name, fingerprint, 2048, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), "HuggingFaceTB");

    public static WorkerRegistration Decode(string id, string address, params ServedModel[] models) => Worker(id, WorkerRole.Decode, address, models);

    public static WorkerRegistration Prefill(string id, params ServedModel[] models) => Worker(id, WorkerRole.Prefill, "http://127.0.0.1:9", models);

    private static WorkerRegistration Worker(string id, WorkerRole role, string address, ServedModel[] models) =>
        new(id, role, address, models.Length == 0 ? [Served()] : models, 1, DateTimeOffset.UnixEpoch, Draining: false);
}
