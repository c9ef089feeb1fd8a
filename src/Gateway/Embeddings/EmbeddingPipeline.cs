using System.Buffers;
using System.Net.Mime;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Gateway.Configuration;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Gateway.Models;
using Serving.Gateway.Placement;
using Serving.Gateway.Telemetry;
using Serving.Gateway.Security;
using Serving.Policies.Placement;

namespace Serving.Gateway.Embeddings;

/// <summary>
/// The way of everything that embeds texts: read, resolve the model, place, ask a worker, write. An API adds a reader, which makes an <see cref="EmbeddingRequest"/> of its body.
/// </summary>
internal sealed class EmbeddingPipeline(
    IOptions<GatewayOptions> options,
    ModelDirectory models,
    PhasePlacer placer,
    WorkerClient workers,
    WarmUpToken warmUp,
    RequestTelemetry telemetry,
    TimeProvider time)
{
    /// <summary>As OpenTelemetry's GenAI conventions call it.</summary>
    public const string Operation = "embeddings";

    /// <summary>Answers an HTTP request whose body tells everything.</summary>
    /// <param name="read">What it makes of the fields does not matter once one of them is at fault.</param>
    public async Task AnswerAsync(HttpContext context, Func<RequestFields, EmbeddingRequest?> read)
    {
        var arrivedAt = time.GetTimestamp();
        var (request, error) = await JsonBody.ReadAsync(context, options.Value.BodyBytesMax, fields => ValueTask.FromResult(read(fields)));
        var origin = default(CallOrigin);
        if (error is null)
        {
            (origin, error) = CallOrigin.Of(context, Operation, warmUp);
        }

        if (error is not null)
        {
            telemetry.Refused(context.TraceIdentifier, Operation, request?.Model, arrivedAt, error);
            await error.WriteAsync(context);
            return;
        }

        ReadOnlyMemory<byte> body;
        try
        {
            (body, error) = await RunAsync(request!, origin!, context.RequestAborted, worker => NameWorker(context.Response, worker));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            telemetry.Left(context.TraceIdentifier, arrivedAt);
            throw;
        }

        if (error is not null)
        {
            await error.WriteAsync(context);
            return;
        }

        context.Response.ContentType = MediaTypeNames.Application.Json;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>Answers a request.</summary>
    /// <param name="onAnswered">Is told which worker it was.</param>
    /// <returns>The answer's body, or the error.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; the worker hears of it.</exception>
    public async Task<(ReadOnlyMemory<byte> Body, ApiError? Error)> RunAsync(
        EmbeddingRequest request, CallOrigin origin, CancellationToken cancellationToken, Action<WorkerRegistration>? onAnswered = null)
    {
        var arrivedAt = time.GetTimestamp();
        var (model, error) = Resolve(request);
        if (error is not null)
        {
            telemetry.Refused(origin.RequestId, Operation, request.Model, arrivedAt, error);
            return (default, error);
        }

        using var timeout = new CancellationTokenSource(origin.TimeoutMs > 0 ? TimeSpan.FromMilliseconds(origin.TimeoutMs) : Timeout.InfiniteTimeSpan, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            (var response, var worker, error) = await AskAsync(request, model!, origin, either.Token);
            if (response is not null)
            {
                onAnswered?.Invoke(worker!);
                var body = Write(request, model!, response);
                telemetry.Embedded(origin.RequestId, model!.Name, response.Embeddings.Sum(embedding => embedding.Tokens), worker!.Id, arrivedAt);
                return (body, null);
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            error = ApiError.DeadlineExceeded(origin.TimeoutMs);
        }

        telemetry.Refused(origin.RequestId, Operation, model!.Name, arrivedAt, error!);
        return (default, error);
    }

    private (ServedModel?, ApiError?) Resolve(EmbeddingRequest request)
    {
        var (model, error) = request.Model is { } name ? models.ResolveEmbedder(name) : models.ResolveOnlyEmbedder();
        return model is not null && request.Dimensions > model.EmbeddingWidth
            ? (null, ApiError.Invalid($"'dimensions' is {request.Dimensions}; the embeddings of '{model.Name}' have {model.EmbeddingWidth}.", "dimensions"))
            : (model, error);
    }

    /// <summary>A worker's answer; where one fails, that of another.</summary>
    private async Task<(EmbeddingsResponse?, WorkerRegistration?, ApiError?)> AskAsync(
        EmbeddingRequest request, ServedModel model, CallOrigin origin, CancellationToken cancellationToken)
    {
        var wanted = new PlacementRequest(model.Name, request.Inputs.Sum(Prompt.EstimateTokens));
        if (await placer.PlacePromptAsync(wanted, cancellationToken) is not { } worker)
        {
            return (null, null, ApiError.Unavailable($"No worker serves '{model.Name}' at the moment. Try again."));
        }

        var message = new EmbeddingsRequest { RequestId = origin.RequestId, Model = model.Name, Inputs = { request.Inputs }, Tenant = origin.Tenant };
        var leg = await workers.AskAsync(InternalApi.EmbeddingsRoute, message, EmbeddingsResponse.Parser, worker, cancellationToken);
        if (leg.WorkerBlamed is { } blamed && placer.PlacePrompt(wanted with { ExcludedWorkers = [blamed] }) is { } other)
        {
            worker = other;
            leg = await workers.AskAsync(InternalApi.EmbeddingsRoute, message, EmbeddingsResponse.Parser, worker, cancellationToken);
        }

        return (leg.Answer, worker, leg.Error);
    }

    private ReadOnlyMemory<byte> Write(EmbeddingRequest request, ServedModel model, EmbeddingsResponse response)
    {
        var vectors = response.Embeddings.Select(embedding => EmbeddingVectors.Read(embedding, request.Dimensions)).ToArray();
        var answer = new EmbeddingAnswer(model, vectors, response.Embeddings.Sum(embedding => embedding.Tokens), time.GetUtcNow());
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            request.Write(json, answer);
            json.WriteEndObject();
        }

        return body.WrittenMemory;
    }

    private static void NameWorker(HttpResponse response, WorkerRegistration worker) =>
        response.Headers[worker.Role == WorkerRole.Prefill ? ServingHeaders.PrefillWorker : ServingHeaders.DecodeWorker] = worker.Id;
}
