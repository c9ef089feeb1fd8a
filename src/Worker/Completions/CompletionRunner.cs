using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;
using Serving.Worker.Loop;
using Serving.Worker.Models;
using Serving.Worker.Prefill;
using Serving.Worker.State;
using SamplingParameters = Serving.Engine.Sampling.SamplingParameters;

namespace Serving.Worker.Completions;

/// <summary>
/// Serves one completion on a decode worker: prompt to tokens, blocks reserved, KV cache fetched from a prefill worker, tokens sampled and streamed as text.
/// Whatever happens — an error, a client that goes away — nothing stays held when <see cref="RunAsync"/> has returned.
/// </summary>
internal sealed partial class CompletionRunner(
    PrefillClient prefill, WorkerIdentity identity, WorkerAddress address, ILogger<CompletionRunner> logger)
{
    /// <returns>Null when the stream has ended as it should, or the error that is still to be sent.</returns>
    public async Task<RequestError?> RunAsync(
        ModelRuntime model, CompletionRequest request, CompletionEventWriter events, CancellationToken clientGone)
    {
        (int[] prompt, RequestError? error) = model.Prompts.Encode(request);
        if (error is not null)
        {
            return error;
        }

        long seed = request.Sampling.HasSeed ? request.Sampling.Seed : RandomNumberGenerator.GetInt32(int.MaxValue);
        bool remote = request.Prefill is not null && prompt.Length > 1;
        SubmitResult submitted = model.Engine.Submit(SequenceOf(model, request, prompt, seed, remote));
        if (!submitted.IsAccepted)
        {
            return RequestErrors.From(submitted.Refusal);
        }

        using SequenceHandle sequence = submitted.Handle;
        try
        {
            PrefillOutcome handOff = default;
            if (remote)
            {
                SequenceOutput first = await sequence.Outputs.ReadAsync(clientGone);
                if (first.Kind != SequenceOutputKind.BlocksReserved)
                {
                    return first.State == SequenceState.FinishedDeadline
                        ? RequestErrors.DeadlineExceeded(request.TimeoutMs, tokens: 0)
                        : RequestErrors.Failed(first.Error ?? "the sequence ended before it began");
                }

                remote = !IsNearlyCached(model, prompt, sequence);
                if (remote)
                {
                    handOff = await HandOffAsync(model, request, prompt, sequence, clientGone);
                }
                else
                {
                    sequence.CompleteRemoteKv(sequence.CachedTokens);
                }
            }

            bool handedOff = remote && handOff.IsCompleted;
            CompletionStarted started = new()
            {
                PromptTokens = prompt.Length,
                DecodeWorker = identity.Id,
                PrefillWorker = handedOff ? request.Prefill!.WorkerId : "",
                KvBytesReceived = handedOff ? handOff.KvBytes : 0,
                Seed = seed,
            };
            return await StreamAsync(model, request, sequence, started, events, clientGone);
        }
        catch (OperationCanceledException) when (clientGone.IsCancellationRequested)
        {
            LogClientGone(logger, request.RequestId);
            return null;
        }
    }

    private static SequenceRequest SequenceOf(ModelRuntime model, CompletionRequest request, int[] prompt, long seed, bool remote) => new()
    {
        RequestId = request.RequestId,
        PromptTokens = prompt,
        Work = remote ? SequenceWork.GenerateFromRemoteKv : SequenceWork.Generate,
        MaxTokens = request.Stop.HasMaxTokens ? request.Stop.MaxTokens : null,
        EndTokens = model.EndTokens,
        CacheSalt = request.CacheSalt,
        Tenant = request.Tenant,
        Priority = RequestPriority.Of(request.Priority),
        Timeout = request.TimeoutMs > 0 ? TimeSpan.FromMilliseconds(request.TimeoutMs) : null,
        Sampling = new SamplingParameters
        {
            Temperature = request.Sampling.HasTemperature ? request.Sampling.Temperature : model.SamplingDefaults.Temperature ?? 1,
            TopP = request.Sampling.HasTopP ? request.Sampling.TopP : model.SamplingDefaults.TopP ?? 1,
            Seed = seed,
        },
    };

    /// <summary>Whether so little of the prompt is missing that the step which computes its last token computes the rest sooner than a peer could send it.</summary>
    private static bool IsNearlyCached(ModelRuntime model, int[] prompt, SequenceHandle sequence) =>
        sequence.CachedTokens > 0 && prompt.Length - sequence.CachedTokens <= model.Executor.KvLayout.BlockSize;

    /// <summary>Has the sequence's reserved blocks filled, where they are not cached, and tells the engine how that ended.</summary>
    private async Task<PrefillOutcome> HandOffAsync(
        ModelRuntime model, CompletionRequest request, int[] prompt, SequenceHandle sequence, CancellationToken clientGone)
    {
        int tokens = prompt.Length - 1;
        int cached = sequence.CachedTokens;
        PrefillRequest wanted = new()
        {
            RequestId = request.RequestId,
            Model = request.Model,
            KvFingerprint = model.Executor.Model.KvFingerprint,
            CachedTokens = cached,
            CacheSalt = request.CacheSalt,
            Tenant = request.Tenant,
            Priority = request.Priority,
        };
        wanted.TokenIds.AddRange(prompt.Take(tokens));
        PrefillOutcome outcome = await prefill.RunAsync(
            request.Prefill.Address,
            wanted,
            SequenceKv.ShapeOf(model.Executor, tokens - cached),
            new SequenceKv(model.Executor, sequence.PromptBlocks[(cached / model.Executor.KvLayout.BlockSize)..]),
            address.Host,
            clientGone);
        clientGone.ThrowIfCancellationRequested();
        if (outcome.IsCompleted)
        {
            sequence.CompleteRemoteKv(tokens);
        }
        else
        {
            sequence.FailRemoteKv();
        }

        return outcome;
    }

    private static async Task<RequestError?> StreamAsync(
        ModelRuntime model,
        CompletionRequest request,
        SequenceHandle sequence,
        CompletionStarted started,
        CompletionEventWriter events,
        CancellationToken clientGone)
    {
        AnswerText text = new(model.Tokenizer, request.Stop.Sequences);
        int tokens = 0;
        while (await sequence.Outputs.WaitToReadAsync(clientGone))
        {
            while (sequence.Outputs.TryRead(out SequenceOutput output))
            {
                switch (output.Kind)
                {
                    case SequenceOutputKind.Token:
                        if (tokens++ == 0)
                        {
                            started.CachedTokens = sequence.CachedTokens;
                            started.ComputedPromptTokens = sequence.ComputedPromptTokens;
                            events.Write(new CompletionEvent { Started = started });
                        }

                        bool isEnd = model.EndTokens.Span.Contains(output.TokenId);
                        events.Write(Chunk(isEnd ? "" : text.Append(output.TokenId), output));
                        if (text.IsStopped)
                        {
                            sequence.Cancel();
                            await FinishAsync(events, FinishReason.Stop, tokens, sequence, clientGone);
                            return null;
                        }

                        break;
                    case SequenceOutputKind.Finished when output.State == SequenceState.FinishedDeadline:
                        return RequestErrors.DeadlineExceeded(request.TimeoutMs, tokens);
                    case SequenceOutputKind.Finished:
                        if (text.Finish() is { Length: > 0 } rest)
                        {
                            events.Write(Chunk(rest, output));
                        }

                        bool isLength = output.State == SequenceState.FinishedLength && !text.IsStopped;
                        await FinishAsync(events, isLength ? FinishReason.Length : FinishReason.Stop, tokens, sequence, clientGone);
                        return null;
                    case SequenceOutputKind.Failed:
                        return RequestErrors.Failed(output.Error ?? "the engine gave no reason");
                }
            }

            // One send for all tokens that were there: a client that reads slowly gets larger pieces, not a longer queue.
            await events.FlushAsync(clientGone);
        }

        return RequestErrors.Failed("the engine ended the sequence without saying how");
    }

    private static CompletionEvent Chunk(string text, in SequenceOutput output)
    {
        TokenChunk chunk = new() { Text = text };
        if (output.Kind == SequenceOutputKind.Token)
        {
            chunk.Ids.Add(output.TokenId);
            chunk.Position = output.Position;
        }

        return new CompletionEvent { Tokens = chunk };
    }

    private static async Task FinishAsync(
        CompletionEventWriter events, FinishReason reason, int tokens, SequenceHandle sequence, CancellationToken clientGone)
    {
        SequenceTimings timings = sequence.Timings;
        events.Write(new CompletionEvent
        {
            Finished = new CompletionFinished
            {
                Reason = reason,
                CompletionTokens = tokens,
                Timings = new CompletionTimings
                {
                    QueueUs = (long)timings.Queue.TotalMicroseconds,
                    PrefillUs = (long)timings.Prefill.TotalMicroseconds,
                    KvTransferUs = (long)timings.RemoteKv.TotalMicroseconds,
                    TimeToFirstTokenUs = (long)timings.TimeToFirstToken.TotalMicroseconds,
                    TotalUs = (long)timings.Total.TotalMicroseconds,
                },
            },
        });
        await events.FlushAsync(clientGone);
    }

    [LoggerMessage(5301, LogLevel.Debug, "Request {RequestId}: the client went away")]
    private static partial void LogClientGone(ILogger logger, string requestId);
}
