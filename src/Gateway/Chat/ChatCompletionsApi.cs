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

namespace Serving.Gateway.Chat;

/// <summary><c>POST /v1/chat/completions</c>: read, resolve, place, forward.</summary>
internal sealed class ChatCompletionsApi(
    IOptions<GatewayOptions> options,
    ModelDirectory models,
    PhasePlacer placer,
    CompletionForwarder forwarder,
    WarmUpToken warmUp,
    RequestTelemetry telemetry,
    TimeProvider time)
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/chat/completions", static (HttpContext context, ChatCompletionsApi api) => api.CompleteAsync(context));

    private async Task CompleteAsync(HttpContext context)
    {
        var arrivedAt = time.GetTimestamp();
        var (profile, error) = await ReadAsync(context);
        var model = default(ServedModel);
        var timeoutMs = 0L;
        if (error is null)
        {
            (timeoutMs, error) = TimeoutHeader.Read(context.Request);
        }

        if (error is null)
        {
            (model, error) = models.Resolve(profile!.Model);
        }

        if (error is not null)
        {
            telemetry.Refused(context, profile?.Model, arrivedAt, error);
            await error.WriteAsync(context);
            return;
        }

        await CompleteAsync(context, profile!, model!, timeoutMs, arrivedAt);
    }

    private async ValueTask<(RequestProfile?, ApiError?)> ReadAsync(HttpContext context)
    {
        var (document, error) = await JsonBody.ReadAsync(context, options.Value.BodyBytesMax);
        if (document is null)
        {
            return (null, error);
        }

        using (document)
        {
            return ChatRequestReader.Read(document.RootElement);
        }
    }

    private async Task CompleteAsync(HttpContext context, RequestProfile profile, ServedModel model, long timeoutMs, long arrivedAt)
    {
        var isWarmUp = warmUp.IsIn(context.Request);
        var request = new PlacementRequest(model.Name, profile.PromptTokensEstimate)
        {
            DecodeWorkerPinned = isWarmUp ? Pinned(context, ServingHeaders.DecodeWorker) : null,
            PrefillWorkerPinned = isWarmUp ? Pinned(context, ServingHeaders.PrefillWorker) : null,
        };
        var placement = await placer.PlaceAsync(request, context.RequestAborted);
        if (placement is null)
        {
            var error = ApiError.Unavailable($"No worker serves '{model.Name}' at the moment. Try again.");
            telemetry.Refused(context, model.Name, arrivedAt, error);
            await error.WriteAsync(context);
            return;
        }

        var id = ChatAnswerId.New(model.Name, placement.Model.KvFingerprint, time.GetUtcNow()) with { ServiceTier = profile.ServiceTier };
        using var call = new CompletionCall
        {
            ArrivedAt = arrivedAt,
            Profile = profile,
            Request = Request(context, profile, model, timeoutMs),
            Renderer = profile.Stream
                ? new ChatStreamRenderer(id, profile.IncludeUsage, profile.Choices, profile.Sampling.HasLogprobs)
                : new ChatAnswerRenderer(id, profile.Choices, profile.Sampling.HasLogprobs),
            PlacementRequest = request,
            Placement = placement,
            IsWarmUp = isWarmUp,
        };
        try
        {
            await forwarder.ForwardAsync(context, call);
        }
        finally
        {
            telemetry.Ended(context, call);
        }
    }

    private static CompletionRequest Request(HttpContext context, RequestProfile profile, ServedModel model, long timeoutMs) => new()
    {
        RequestId = context.TraceIdentifier,
        Model = model.Name,
        Chat = new ChatPrompt
        {
            MessagesJson = profile.MessagesJson,
            ToolsJson = profile.Tools.Json,
            TemplateArgumentsJson = profile.TemplateArgumentsJson,
            AddGenerationPrompt = true,
        },
        Sampling = profile.Sampling,
        Tools = profile.Tools.Parameters,
        Stop = profile.Stop,
        Constraint = profile.Constraint,
        Choices = profile.Choices,
        BestOf = profile.BestOf,
        Tenant = Tenant.NameOf(context),
        Priority = profile.Priority,
        TimeoutMs = timeoutMs,

        // What one tenant's prompts were must not show in how fast another's are answered.
        CacheSalt = $"{Tenant.NameOf(context)}/{profile.CacheSalt}",
    };

    private static string? Pinned(HttpContext context, string header) =>
        context.Request.Headers.TryGetValue(header, out var worker) ? worker.ToString() : null;
}
