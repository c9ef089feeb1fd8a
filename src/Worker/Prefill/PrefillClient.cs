using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Internal;
using Serving.ServiceDefaults.Security;
using Serving.Transfer;

namespace Serving.Worker.Prefill;

/// <summary>
/// The decode worker's side of a hand-off: opens a lease, asks a prefill worker for the prompt's KV cache, and ends when the last byte has arrived or
/// nothing will arrive any more. The call and the lease live and die together.
/// </summary>
internal sealed partial class PrefillClient(
    ClusterSecret secret, KvReceiver receiver, KvTransferOptions transferOptions, TimeProvider time, ILogger<PrefillClient> logger) : IDisposable
{
    /// <summary>
    /// Connections to all peers, closed when idle: a channel is only a thin wrapper, made for each call. That is so with a client only; over a
    /// handler that it knows, each channel would open a connection of its own, to see whether its peer is there.
    /// </summary>
    private readonly GrpcChannelOptions _channelOptions = new() { HttpClient = InternalHttp.CreateClient(secret), DisposeHttpClient = false };

    /// <summary>Has <paramref name="request"/>'s tokens computed by the peer at <paramref name="peerAddress"/>. Returns only once nothing writes to <paramref name="sink"/> any more.</summary>
    /// <param name="request">All but the destination.</param>
    public async Task<PrefillOutcome> RunAsync(
        string peerAddress, PrefillRequest request, KvTransferShape shape, IKvSink sink, string advertisedHost, CancellationToken cancellation)
    {
        KvLease lease = receiver.Expect(shape, sink);
        request.Destination = new KvDestination
        {
            Host = advertisedHost,
            Port = receiver.Port,
            LeaseId = ByteString.CopyFrom(lease.LeaseId.ToByteArray()),
        };

        CancellationTokenSource callEnd = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<string?> call = CallAsync(peerAddress, request, callEnd.Token);
        await using (cancellation.UnsafeRegister(static state => ((KvLease)state!).Abort("the request was cancelled"), lease))
        await using (RenewWhileCalling(lease))
        {
            if (await Task.WhenAny(lease.Completion, call) == call)
            {
                // A lease that has completed stays so. One that has not would be renewed for ever, and nobody is left to send.
                lease.Abort(await call ?? "the prefill worker says that it is done, but the KV cache has not arrived");
            }

            TransferResult result = await lease.Completion;
            if (!result.IsCompleted)
            {
                await callEnd.CancelAsync();
            }

            _ = call.ContinueWith(static (_, state) => ((CancellationTokenSource)state!).Dispose(), callEnd, TaskScheduler.Default);
            return Conclude(request.RequestId, peerAddress, result, call);
        }
    }

    public void Dispose() => _channelOptions.HttpClient!.Dispose();

    /// <summary>Runs the call to its end; null when the peer says that it is done.</summary>
    private async Task<string?> CallAsync(string peerAddress, PrefillRequest request, CancellationToken cancellation)
    {
        try
        {
            using GrpcChannel channel = GrpcChannel.ForAddress(peerAddress, _channelOptions);
            using AsyncServerStreamingCall<PrefillEvent> call =
                new PrefillService.PrefillServiceClient(channel).Prefill(request, cancellationToken: cancellation);
            await foreach (PrefillEvent message in call.ResponseStream.ReadAllAsync(cancellation))
            {
                if (message.EventCase == PrefillEvent.EventOneofCase.Done)
                {
                    return null;
                }
            }

            return "the prefill worker ended the call early";
        }
        catch (RpcException exception)
        {
            return $"{exception.StatusCode}: {exception.Status.Detail}";
        }
        catch (OperationCanceledException)
        {
            return "the call was cancelled";
        }
    }

    /// <summary>A prompt may wait in the peer's queue for as long as it likes: while the call lives, so does the lease.</summary>
    private ITimer RenewWhileCalling(KvLease lease)
    {
        TimeSpan interval = transferOptions.LeaseTimeout / 3;
        return time.CreateTimer(static state => ((KvLease)state!).Renew(), lease, interval, interval);
    }

    private PrefillOutcome Conclude(string requestId, string peerAddress, TransferResult result, Task<string?> call)
    {
        if (result.IsCompleted)
        {
            return new PrefillOutcome(result.Bytes, Failure: null);
        }

        string failure = call.IsCompletedSuccessfully && call.Result is { } reason ? reason : result.ToString();
        LogHandOffFailed(logger, requestId, peerAddress, failure);
        return new PrefillOutcome(result.Bytes, failure);
    }

    [LoggerMessage(5201, LogLevel.Warning, "Request {RequestId}: the hand-off from {Peer} failed, the prompt is computed here: {Reason}")]
    private static partial void LogHandOffFailed(ILogger logger, string requestId, string peer, string reason);
}
