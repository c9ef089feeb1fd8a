using System.Buffers;
using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Gateway.Configuration;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Http;
using Serving.Gateway.Models;
using Serving.Gateway.Placement;
using Serving.Gateway.Security;
using Serving.Gateway.Telemetry;
using Serving.Policies.Placement;

namespace Serving.Gateway.Generation;

/// <summary>
/// The way of everything that generates text: read, resolve the model, place, forward, render. An API adds a reader, which makes a
/// <see cref="GenerationRequest"/> of its body, and a renderer.
/// </summary>
internal sealed class GenerationPipeline(
    IOptions<GatewayOptions> options,
    ModelDirectory models,
    PhasePlacer placer,
    AnswerOpener opener,
    CompletionForwarder forwarder,
    WarmUpToken warmUp,
    RequestTelemetry telemetry,
    TimeProvider time)
{
    /// <summary>Answers an HTTP request whose body tells everything.</summary>
    /// <param name="read">What it makes of the fields does not matter once one of them is at fault.</param>
    /// <param name="operation">As OpenTelemetry's GenAI conventions call it.</param>
    public async Task AnswerAsync(HttpContext context, Func<RequestFields, GenerationRequest?> read, string operation = CallOrigin.ChatOperation)
    {
        var arrivedAt = time.GetTimestamp();
        var (request, error) = await ReadAsync(context, fields => ValueTask.FromResult(read(fields)));
        await (request is null
            ? RefuseAsync(context, error!, model: null, operation, arrivedAt)
            : AnswerAsync(context, request, operation, arrivedAt));
    }

    /// <summary>Reads an HTTP request's body, or finds the error with which to answer.</summary>
    /// <param name="read">What it makes of the fields does not matter once one of them is at fault.</param>
    public ValueTask<(T? Request, ApiError? Error)> ReadAsync<T>(HttpContext context, Func<RequestFields, ValueTask<T?>> read)
        where T : class => JsonBody.ReadAsync(context, options.Value.BodyBytesMax, read);

    /// <summary>Answers an HTTP request that has been read.</summary>
    /// <param name="arrivedAt">A monotonic stamp.</param>
    public async Task AnswerAsync(HttpContext context, GenerationRequest request, string operation, long arrivedAt)
    {
        var (origin, error) = CallOrigin.Of(context, operation, warmUp);
        var call = default(CompletionCall);
        if (error is null)
        {
            (call, error) = await PlaceAsync(request, origin!, arrivedAt, context.RequestAborted);
        }

        if (call is null)
        {
            await RefuseAsync(context, error!, request.Profile.Model, operation, arrivedAt);
            return;
        }

        using (call)
        {
            try
            {
                await forwarder.ForwardAsync(context, call);
            }
            finally
            {
                telemetry.Ended(call);
            }
        }
    }

    /// <summary>Answers a request that no connection waits for. Its renderer must not stream.</summary>
    /// <returns>The answer's body, or the error.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled; the worker hears of it.</exception>
    public async Task<(ReadOnlyMemory<byte> Body, ApiError? Error)> RunAsync(GenerationRequest request, CallOrigin origin, CancellationToken cancellationToken)
    {
        var arrivedAt = time.GetTimestamp();
        var (call, error) = await PlaceAsync(request, origin, arrivedAt, cancellationToken);
        if (call is null)
        {
            telemetry.Refused(origin.RequestId, origin.Operation, request.Profile.Model, arrivedAt, error!);
            return (default, error);
        }

        using (call)
        {
            try
            {
                if (await opener.OpenAsync(call, cancellationToken) is not { } pump)
                {
                    return (default, call.Failure);
                }

                var body = new ArrayBufferWriter<byte>(1024);
                await pump.CollectAsync(body, cancellationToken);
                return (body.WrittenMemory, call.Failure);
            }
            finally
            {
                telemetry.Ended(call);
            }
        }
    }

    /// <summary>Answers an HTTP request with an error that was found before it had a place.</summary>
    /// <param name="model">As the client wrote it, as far as that was read.</param>
    public Task RefuseAsync(HttpContext context, ApiError error, string? model, string operation, long arrivedAt)
    {
        telemetry.Refused(context.TraceIdentifier, operation, model, arrivedAt, error);
        return error.WriteAsync(context);
    }

    private async ValueTask<(CompletionCall?, ApiError?)> PlaceAsync(
        GenerationRequest request, CallOrigin origin, long arrivedAt, CancellationToken cancellationToken)
    {
        var profile = request.Profile;
        var (model, error) = models.ResolveGenerative(profile.Model);
        if (model is null)
        {
            return (null, error);
        }

        if (request.Admit is { } admit && await admit() is { } refusal)
        {
            return (null, refusal);
        }

        var legs = new List<PromptLeg>(profile.Prompts.Count);
        foreach (var prompt in profile.Prompts)
        {
            var wanted = new PlacementRequest(model.Name, prompt.TokensEstimate)
            {
                DecodeWorkerPinned = origin.DecodeWorkerPinned,
                PrefillWorkerPinned = origin.PrefillWorkerPinned,
            };
            if (await placer.PlaceAsync(wanted, cancellationToken) is not { } placement)
            {
                return (null, ApiError.Unavailable($"No worker serves '{model.Name}' at the moment. Try again."));
            }

            legs.Add(new PromptLeg { Request = Request(prompt, profile, model, origin), PlacementRequest = wanted, Placement = placement });
        }

        return (new CompletionCall
        {
            ArrivedAt = arrivedAt,
            Origin = origin,
            Profile = profile,
            Model = model.Name,
            Legs = legs,
            Renderer = request.Render(AnswerStamp.Of(model.Name, legs[0].Placement.Model.KvFingerprint, time.GetUtcNow(), origin.RequestId)),
        }, null);
    }

    private static CompletionRequest Request(Prompt prompt, GenerationProfile profile, ServedModel model, CallOrigin origin)
    {
        var request = new CompletionRequest
        {
            RequestId = origin.RequestId,
            Model = model.Name,
            PromptParam = prompt.Param,
            Echo = profile.Echo,
            Sampling = profile.Sampling,
            Tools = profile.Tools,
            Stop = profile.Stop,
            Constraint = profile.Constraint,
            Choices = profile.Choices,
            BestOf = profile.BestOf,
            Tenant = origin.Tenant,
            Priority = profile.Priority,
            TimeoutMs = origin.TimeoutMs,

            // What one tenant's prompts were must not show in how fast another's are answered.
            CacheSalt = $"{origin.Tenant}/{profile.CacheSalt}",
        };
        prompt.SetIn(request);
        return request;
    }
}
