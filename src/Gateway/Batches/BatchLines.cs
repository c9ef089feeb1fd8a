using Microsoft.Extensions.Options;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Storage;

namespace Serving.Gateway.Batches;

/// <summary>Answers a batch's lines, a bounded number at once for all batches of this gateway together.</summary>
internal sealed partial class BatchLines(
    IEnumerable<IBatchEndpoint> endpoints, BatchValidation validation, IOptions<BatchOptions> options, TimeProvider time, ILogger<BatchLines> logger) : IDisposable
{
    /// <summary>A request on which workers die is not given to more of them.</summary>
    private const int LostWorkersMax = 3;

    private static readonly TimeSpan _retryDelayMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _retryDelayMax = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, IBatchEndpoint> _endpoints = endpoints.ToDictionary(endpoint => endpoint.Route);
    private readonly SemaphoreSlim _free = new(options.Value.RequestsAtOnceMax);

    /// <summary>The routes whose requests may stand in batches.</summary>
    public IReadOnlyCollection<string> Routes => _endpoints.Keys;

    /// <summary>Answers the lines that are not done yet, in their order.</summary>
    /// <param name="keep">Is awaited before the line's place goes to another.</param>
    public async Task RunAsync(
        string tenant, OpenAiBatch batch, Stream input, IReadOnlySet<int> done, Func<BatchResult, Task> keep, CancellationToken cancellationToken)
    {
        var endpoint = _endpoints[batch.Endpoint];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Value.RequestsAtOnceMax, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(ReadAsync(batch, input, done), parallel, async (line, cancelled) =>
        {
            using (line)
            {
                await _free.WaitAsync(cancelled);
                try
                {
                    await keep(await AnswerAsync(endpoint, tenant, line, cancelled));
                }
                finally
                {
                    _free.Release();
                }
            }
        });
    }

    /// <summary>The lines of a batch that are not done yet.</summary>
    public async IAsyncEnumerable<BatchLine> ReadAsync(OpenAiBatch batch, Stream input, IReadOnlySet<int> done)
    {
        await foreach (var (number, text) in BatchInput.ReadAsync(input, validation.LineBytesMax, CancellationToken.None))
        {
            if (!done.Contains(number) && BatchLine.Parse(number, text, batch.Endpoint).Line is { } line)
            {
                yield return line;
            }
        }
    }

    /// <summary>The name of a request in logs and in the output.</summary>
    public string NewRequestId() => StoreId.New("batch_req_", time.GetUtcNow());

    public void Dispose() => _free.Dispose();

    private async Task<BatchResult> AnswerAsync(IBatchEndpoint endpoint, string tenant, BatchLine line, CancellationToken cancellationToken)
    {
        var requestId = NewRequestId();
        for (var (delay, lostWorkers) = (_retryDelayMin, 0); ; delay = delay < _retryDelayMax / 2 ? delay * 2 : _retryDelayMax)
        {
            var (body, error) = await AnswerOnceAsync(endpoint, line, new CallOrigin(requestId, tenant), cancellationToken);
            var isLost = error?.Status == StatusCodes.Status502BadGateway || error?.Error.Code == ApiError.WorkerLostCode;
            lostWorkers += isLost ? 1 : 0;
            var passes = isLost ? lostWorkers < LostWorkersMax : error?.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable;
            if (!passes)
            {
                return BatchResult.Of(line, requestId, body, error);
            }

            await Task.Delay(delay, time, cancellationToken);
        }
    }

    private async Task<(ReadOnlyMemory<byte> Body, ApiError? Error)> AnswerOnceAsync(
        IBatchEndpoint endpoint, BatchLine line, CallOrigin origin, CancellationToken cancellationToken)
    {
        try
        {
            return await endpoint.AnswerAsync(line.Body, origin, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            return (default, ApiError.Unavailable(exception.Message));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFailed(logger, exception, origin.RequestId);
            return (default, ApiError.Internal());
        }
    }

    [LoggerMessage(75, LogLevel.Error, "Request {RequestId} of a batch failed in the gateway")]
    private static partial void LogFailed(ILogger logger, Exception exception, string requestId);
}
