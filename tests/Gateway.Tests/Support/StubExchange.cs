using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Tests.Support;

/// <summary>One request to a stub worker, with the words of the internal event stream.</summary>
internal sealed class StubExchange(HttpContext context, CompletionRequest request, string workerId)
{
    private int _position;

    public CompletionRequest Request => request;

    /// <summary>Cancelled when the gateway has hung up.</summary>
    public CancellationToken Cancelled => context.RequestAborted;

    public async Task AnswerAsync(params string[] tokens)
    {
        await StartAsync();
        foreach (var token in tokens)
        {
            await TokenAsync(token);
        }

        await FinishAsync();
    }

    /// <param name="echo">The prompt, where it is wanted back.</param>
    public Task StartAsync(PromptEcho? echo = null) => SendAsync(new CompletionEvent
    {
        Started = new CompletionStarted
        {
            PromptTokens = 37,
            CachedTokens = 5,
            ComputedPromptTokens = request.Prefill is null ? 37 : 1,
            DecodeWorker = workerId,
            PrefillWorker = request.Prefill?.WorkerId ?? "",
            KvBytesReceived = request.Prefill is null ? 0 : 829_440,
            Seed = 7,
            Echo = echo,
        },
    });

    public Task TokenAsync(string text) => TokenAsync(new TokenChunk { Ids = { 100 + _position }, Text = text, Position = _position++ });

    public Task TokenAsync(TokenChunk chunk) => SendAsync(new CompletionEvent { Tokens = chunk });

    public Task FinishAsync(FinishReason reason = FinishReason.Stop) =>
        FinishAsync(new CompletionFinished { Reason = reason, CompletionTokens = _position + 1 });

    public Task FinishAsync(CompletionFinished finished) => SendAsync(new CompletionEvent { Finished = finished });

    public Task ErrorEventAsync(RequestError error) => SendAsync(new CompletionEvent { Error = error });

    public Task RefuseAsync(RequestError error)
    {
        context.Response.StatusCode = error.Status;
        context.Response.ContentType = InternalApi.ErrorContentType;
        return context.Response.Body.WriteAsync(error.ToByteArray()).AsTask();
    }

    public Task StatusAsync(int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    public Task BytesAsync(params byte[] bytes) => context.Response.Body.WriteAsync(bytes).AsTask();

    /// <summary>As a process that is killed: the stream is reset.</summary>
    public void Die() => context.Abort();

    public async Task UntilCancelledAsync()
    {
        var cancelled = new TaskCompletionSource();
        using var registration = Cancelled.Register(cancelled.SetResult);
        await cancelled.Task.WaitAsync(TestTime.LimitTime);
    }

    private async Task SendAsync(CompletionEvent message)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = InternalApi.EventStreamContentType;
        }

        using var memory = new MemoryStream();
        message.WriteDelimitedTo(memory);
        await context.Response.Body.WriteAsync(memory.ToArray());
        await context.Response.Body.FlushAsync();
    }
}
