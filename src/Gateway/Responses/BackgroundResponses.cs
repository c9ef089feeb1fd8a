using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Gateway.Models;
using Serving.Gateway.Security;
using Serving.Storage;
using Serving.Storage.Leases;

namespace Serving.Gateway.Responses;

/// <summary>
/// Responses that nobody waits for. Each is stored before its work begins, and has a lease while the work goes on: one that goes on and has none was lost with the
/// gateway that ran it.
/// </summary>
internal sealed partial class BackgroundResponses(
    GenerationPipeline pipeline, StoredResponses stored, ModelDirectory models, ILeaseStore leases, TimeProvider time, ILogger<BackgroundResponses> logger)
    : IHostedService, IDisposable
{
    /// <summary>Of one API key: what runs in the background waits in the same queues as everything else, which have room for a few hundred.</summary>
    private const int RunningOfTenantMax = 64;

    private static readonly TimeSpan _lease = TimeSpan.FromSeconds(30);

    /// <summary>How often the lease is renewed, and looked whether the response is still wanted.</summary>
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(2);

    private readonly string _holder = Guid.NewGuid().ToString("N");
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<(string Tenant, string Id), Run> _running = [];

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends everything: it is stored as failed.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_running.Values.Select(run => run.Task)).WaitAsync(cancellationToken);
    }

    /// <summary>Stores a response and lets its work begin.</summary>
    /// <returns>The response as it is now, or why there is none.</returns>
    public async Task<(JsonObject? Response, ApiError? Error)> StartAsync(ResponseRequest request, HttpContext context)
    {
        var tenant = Tenant.NameOf(context);
        var (timeoutMs, error) = TimeoutHeader.Read(context.Request);
        var model = default(Contracts.Cluster.ServedModel);
        if (error is null)
        {
            (model, error) = models.ResolveGenerative(request.Profile.Model);
        }

        error ??= _running.Keys.Count(run => run.Tenant == tenant) < RunningOfTenantMax
            ? await stored.CheckRoomAsync(tenant, request.Items!.Length)
            : ApiError.TooMany($"{RunningOfTenantMax} responses run in the background already.", RunningOfTenantMax, "background");
        if (error is not null)
        {
            return (null, error);
        }

        var origin = new CallOrigin(context.TraceIdentifier, tenant) { TimeoutMs = timeoutMs };
        var json = new ResponseJson(request.Id, new AnswerStamp(model!.Name, "", time.GetUtcNow(), origin.RequestId), request.Settings, time);
        var queued = Render(json, "queued");
        await leases.TakeAsync(LeaseOf(request.Id.Value), _holder, _lease);
        error = await stored.AddAsync(tenant, request.Id, "queued", queued, request.Items!, context.RequestAborted);
        if (error is not null)
        {
            return (null, error);
        }

        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var key = (tenant, request.Id.Value);
        var begun = new TaskCompletionSource();
        _running[key] = new Run(RunAsync(begun.Task, key, request, json, origin, cancellation), cancellation);
        begun.SetResult();
        return (JsonNode.Parse(queued.Span)!.AsObject(), null);
    }

    /// <summary>A stored response; null: the tenant has no such one.</summary>
    public async Task<JsonObject?> GetAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        if (await stored.GetAsync(tenant, id, cancellationToken) is not { } response)
        {
            return null;
        }

        if (!StoredResponses.IsGoingOn((string)response["status"]!)
            || _running.ContainsKey((tenant, id))
            || await leases.TakeAsync(LeaseOf(id), _holder, _lease) is null)
        {
            return response;
        }

        // Whoever ran it is gone; or it has ended this moment, and then that stands.
        response["status"] = "failed";
        response["error"] = new JsonObject { ["code"] = "server_error", ["message"] = "The gateway that ran the response has stopped." };
        if (await stored.ItemsAsync(tenant, id, cancellationToken) is { } items)
        {
            await stored.EndAsync(
                tenant, new ResponseId(id), "failed", Bytes(response), Bytes(items), cancellationToken);
        }

        await leases.ReleaseAsync(LeaseOf(id), _holder);
        return await stored.GetAsync(tenant, id, cancellationToken);
    }

    /// <summary>Ends a response's work, if it goes on; another gateway that runs it sees so at its next look.</summary>
    public async Task<JsonObject?> CancelAsync(string tenant, string id, CancellationToken cancellationToken)
    {
        await stored.MarkAsync(tenant, id, "cancelled");
        try
        {
            if (_running.TryGetValue((tenant, id), out var run))
            {
                await run.Cancellation.CancelAsync();
            }
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }

        return await stored.GetAsync(tenant, id, cancellationToken);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task RunAsync(
        Task begun, (string Tenant, string Id) key, ResponseRequest request, ResponseJson json, CallOrigin origin, CancellationTokenSource cancellation)
    {
        await begun;
        using var ended = new CancellationTokenSource();
        var watching = WatchAsync(key, cancellation, ended.Token);
        try
        {
            var (status, body) = await AnswerAsync(request, json, origin, cancellation.Token);
            await stored.EndAsync(key.Tenant, request.Id, status, body, request.Items!, CancellationToken.None);
            await leases.ReleaseAsync(LeaseOf(key.Id), _holder);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or IOException)
        {
            LogLost(logger, exception, key.Id);
        }
        finally
        {
            await ended.CancelAsync();
            await watching;
            _running.TryRemove(key, out _);
            cancellation.Dispose();
        }
    }

    private async Task<(string Status, ReadOnlyMemory<byte> Body)> AnswerAsync(
        ResponseRequest request, ResponseJson json, CallOrigin origin, CancellationToken cancellationToken)
    {
        var renderer = new ResponseRenderer(json);
        try
        {
            var (body, error) = await pipeline.RunAsync(new GenerationRequest(request.Profile, _ => renderer), origin, cancellationToken);
            return error is null ? (renderer.Status, body) : ("failed", Render(json, "failed", error));
        }
        catch (OperationCanceledException)
        {
            return ("failed", Render(json, "failed", ApiError.Unavailable("The gateway was stopped.")));
        }
        catch (Exception exception)
        {
            LogFailed(logger, exception, request.Id.Value);
            return ("failed", Render(json, "failed", ApiError.Internal()));
        }
    }

    /// <summary>Keeps the lease, and ends the work once the response was cancelled or deleted, by whichever gateway.</summary>
    private async Task WatchAsync((string Tenant, string Id) key, CancellationTokenSource work, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_look, time, ended);
                await leases.RenewAsync(LeaseOf(key.Id), _holder, _lease);
                if (!await stored.IsGoingOnAsync(key.Tenant, key.Id))
                {
                    await work.CancelAsync();
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (StorageUnavailableException)
            {
                // The work goes on; whether its end can be stored is seen then.
            }
        }
    }

    private static ReadOnlyMemory<byte> Render(ResponseJson response, string status, ApiError? error = null)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, ApiJson.WriterOptions))
        {
            response.Write(json, status, error);
        }

        return output.WrittenMemory;
    }

    private static byte[] Bytes(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString(ApiJson.Nodes));

    private static string LeaseOf(string id) => $"response:{id}";

    [LoggerMessage(40, LogLevel.Warning, "What came of the background response {ResponseId} could not be stored")]
    private static partial void LogLost(ILogger logger, Exception exception, string responseId);

    [LoggerMessage(41, LogLevel.Error, "The background response {ResponseId} failed in the gateway")]
    private static partial void LogFailed(ILogger logger, Exception exception, string responseId);

    private sealed record Run(Task Task, CancellationTokenSource Cancellation);
}
