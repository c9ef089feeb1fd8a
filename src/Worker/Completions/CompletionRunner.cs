using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;
using Serving.Grammars;
using Serving.Worker.Loop;
using Serving.Worker.Models;
using Serving.Worker.Prefill;
using Serving.Worker.State;

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
        (EncodedPrompt encoded, RequestError? error) = model.Prompts.Encode(request);
        error ??= RequestParameters.Check(request, model);
        if (error is not null)
        {
            return RequestErrors.Named(error, request);
        }

        int[] prompt = encoded.Tokens;
        Constraint? constraint = AnswerConstraints.Of(model, request, encoded.EndsInReasoning);
        Task<CompiledGrammar>? grammar = constraint is null ? null : model.Grammars.CompileAsync(constraint);

        long seed = request.Sampling.HasSeed ? request.Sampling.Seed : RandomNumberGenerator.GetInt32(int.MaxValue);
        bool remote = request.Prefill is not null && prompt.Length > 1 && !RequestParameters.HasPromptLogprobs(request);
        Deadline deadline = new(request.TimeoutMs);
        SubmitResult submitted = model.Engine.Submit(SequenceOf(model, request, prompt, grammar, seed, choice: 0, remote, deadline.TimeLeft));
        if (!submitted.IsAccepted)
        {
            return RequestErrors.Named(RequestErrors.From(submitted.Refusal), request);
        }

        SequenceHandle sequence = submitted.Handle;
        using ChoiceStreams choices = new(model, request, encoded.EndsInReasoning);
        choices.Add(sequence);
        for (int choice = 1; choice < RequestParameters.Sequences(request); choice++)
        {
            SequenceRequest another = SequenceOf(model, request, prompt, grammar, seed, choice, remote: false, deadline.TimeLeft);
            submitted = model.Engine.Submit(another with { ForkOf = sequence });
            if (!submitted.IsAccepted)
            {
                return RequestErrors.Named(RequestErrors.From(submitted.Refusal), request);
            }

            choices.Add(submitted.Handle);
        }

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
                    if (await HandOffAsync(model, request, prompt, sequence, deadline, clientGone) is not { } outcome)
                    {
                        return RequestErrors.DeadlineExceeded(request.TimeoutMs, tokens: 0);
                    }

                    handOff = outcome;
                }
                else
                {
                    sequence.CompleteRemoteKv(sequence.CachedTokens);
                }
            }

            // The prompt is computed meanwhile.
            if (grammar is not null)
            {
                await grammar.WaitAsync(clientGone);
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
            if (await choices.BeginAsync(clientGone) is { } failure)
            {
                return failure;
            }

            started.CachedTokens = sequence.CachedTokens;
            started.ComputedPromptTokens = sequence.ComputedPromptTokens;
            started.Echo = request.Echo ? PromptEchoes.Of(model, request, prompt, sequence) : null;
            events.Write(new CompletionEvent { Started = started });
            return await choices.RunAsync(events, clientGone);
        }
        catch (GrammarException exception)
        {
            return RequestErrors.Unholdable(constraint!, exception);
        }
        catch (OperationCanceledException) when (clientGone.IsCancellationRequested)
        {
            LogClientGone(logger, request.RequestId);
            return null;
        }
    }

    private static SequenceRequest SequenceOf(
        ModelRuntime model, CompletionRequest request, int[] prompt, Task<CompiledGrammar>? grammar, long seed, int choice, bool remote, TimeSpan? timeout) => new()
        {
            RequestId = request.RequestId,
            PromptTokens = prompt,
            Grammar = grammar,
            Work = remote ? SequenceWork.GenerateFromRemoteKv : SequenceWork.Generate,
            MaxTokens = request.Stop.HasMaxTokens ? Math.Max(1, request.Stop.MaxTokens) : null,
            EndTokens = RequestParameters.EndTokens(request, model),
            CacheSalt = request.CacheSalt,
            Tenant = request.Tenant,
            Priority = RequestPriority.Of(request.Priority),
            Timeout = timeout,
            Sampling = RequestParameters.Sampling(request, model, seed, choice),
        };

    /// <summary>Whether so little of the prompt is missing that the step which computes its last token computes the rest sooner than a peer could send it.</summary>
    private static bool IsNearlyCached(ModelRuntime model, int[] prompt, SequenceHandle sequence) =>
        sequence.CachedTokens > 0 && prompt.Length - sequence.CachedTokens <= model.Executor.KvLayout.BlockSize;

    /// <summary>Has the sequence's reserved blocks filled, where they are not cached, and tells the engine how that ended.</summary>
    /// <returns>Null: the deadline has passed before.</returns>
    private async Task<PrefillOutcome?> HandOffAsync(
        ModelRuntime model, CompletionRequest request, int[] prompt, SequenceHandle sequence, Deadline deadline, CancellationToken clientGone)
    {
        // The engine ends nothing into whose blocks a peer may write, so that the deadline has to end the peer's part first.
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(clientGone);
        if (deadline.TimeLeft is { } left)
        {
            end.CancelAfter(left);
        }

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
        wanted.TokenIds.AddRange(new ArraySegment<int>(prompt, 0, tokens));
        PrefillOutcome outcome = await prefill.RunAsync(
            request.Prefill.Address,
            wanted,
            SequenceKv.ShapeOf(model.Executor, tokens - cached),
            new SequenceKv(model.Executor, sequence.PromptBlocks, cached),
            address.Host,
            end.Token);
        clientGone.ThrowIfCancellationRequested();
        if (outcome.IsCompleted)
        {
            sequence.CompleteRemoteKv(tokens);
        }
        else if (end.IsCancellationRequested)
        {
            return null;
        }
        else
        {
            sequence.FailRemoteKv();
        }

        return outcome;
    }

    [LoggerMessage(5301, LogLevel.Debug, "Request {RequestId}: the client went away")]
    private static partial void LogClientGone(ILogger logger, string requestId);
}
