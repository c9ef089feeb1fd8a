using Grpc.Core;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;
using Serving.Transfer;
using Serving.Worker.Loop;
using Serving.Worker.Models;

namespace Serving.Worker.Prefill;

/// <summary>The prefill worker's side of a hand-off: computes the prompt's KV cache, sends it, and frees it — at the latest when the call ends, however it ends.</summary>
internal sealed partial class PrefillApi(IModelSet models, KvSender sender, WorkerIdentity identity, ILogger<PrefillApi> logger)
    : PrefillService.PrefillServiceBase
{
    public override async Task Prefill(PrefillRequest request, IServerStreamWriter<PrefillEvent> responseStream, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        (ModelRuntime model, LeaseId lease) = Examine(request);
        SubmitResult submitted = model.Engine.Submit(new SequenceRequest
        {
            RequestId = request.RequestId,
            PromptTokens = request.TokenIds.ToArray(),
            Work = SequenceWork.PrefillOnly,
            CacheSalt = request.CacheSalt,
            Tenant = request.Tenant,
            Priority = RequestPriority.Of(request.Priority),
        });
        using SequenceHandle sequence = submitted.IsAccepted ? submitted.Handle : throw RefusalOf(submitted.Refusal);
        await responseStream.WriteAsync(
            new PrefillEvent { Accepted = new PrefillAccepted { WorkerId = identity.Id } }, context.CancellationToken);

        await ComputeAsync(sequence, context.CancellationToken);
        TransferResult sent = await sender.SendAsync(
            new KvEndpoint(request.Destination.Host, request.Destination.Port),
            lease,
            SequenceKv.ShapeOf(model.Executor, request.TokenIds.Count - request.CachedTokens),
            new SequenceKv(model.Executor, sequence.PromptBlocks, request.CachedTokens),
            context.CancellationToken);
        sequence.Release();
        if (!sent.IsCompleted)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"the KV transfer ended: {sent}"));
        }

        LogSent(logger, request.RequestId, request.TokenIds.Count, sent.Bytes);
        await responseStream.WriteAsync(Done(request, sequence, sent), context.CancellationToken);
    }

    private (ModelRuntime Model, LeaseId Lease) Examine(PrefillRequest request)
    {
        if (!models.TryGet(request.Model, out ModelRuntime? model))
        {
            throw new RpcException(new Status(StatusCode.NotFound, $"the model '{request.Model}' is not loaded here"));
        }

        if (request.KvFingerprint != model.Executor.Model.KvFingerprint)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, "the KV caches of the two workers differ: another model file, numeric class or KV layout"));
        }

        if (request.CachedTokens < 0 || request.CachedTokens >= request.TokenIds.Count || request.CachedTokens % model.Executor.KvLayout.BlockSize != 0)
        {
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"{request.CachedTokens} cached tokens of {request.TokenIds.Count} are not whole KV blocks that leave something to send"));
        }

        return request.Destination is not null && LeaseId.TryRead(request.Destination.LeaseId.Span, out LeaseId lease)
            ? (model, lease)
            : throw new RpcException(new Status(StatusCode.InvalidArgument, "the request names no destination lease"));
    }

    private static async Task ComputeAsync(SequenceHandle sequence, CancellationToken cancellation)
    {
        await foreach (SequenceOutput output in sequence.Outputs.ReadAllAsync(cancellation))
        {
            switch (output.Kind)
            {
                case SequenceOutputKind.PrefillComputed:
                    return;
                case SequenceOutputKind.Failed:
                    throw new RpcException(new Status(StatusCode.Internal, $"the engine failed: {output.Error}"));
            }
        }

        throw new RpcException(new Status(StatusCode.Unavailable, "the engine stopped before the prompt was computed"));
    }

    private static PrefillEvent Done(PrefillRequest request, SequenceHandle sequence, TransferResult sent) => new()
    {
        Done = new PrefillDone
        {
            ComputedTokens = request.TokenIds.Count,
            KvBytesSent = sent.Bytes,
            QueueUs = (long)sequence.Timings.Queue.TotalMicroseconds,
            ComputeUs = (long)sequence.Timings.Prefill.TotalMicroseconds,
        },
    };

    private static RpcException RefusalOf(Refusal refusal)
    {
        StatusCode code = refusal.Reason is RefusalReason.QueueFull ? StatusCode.ResourceExhausted : StatusCode.FailedPrecondition;
        return new RpcException(new Status(code, refusal.Message));
    }

    [LoggerMessage(5101, LogLevel.Debug, "Request {RequestId}: sent the KV cache of {Tokens} tokens, {Bytes} bytes")]
    private static partial void LogSent(ILogger logger, string requestId, int tokens, long bytes);
}
