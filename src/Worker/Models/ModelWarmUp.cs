using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Worker.Loop;

namespace Serving.Worker.Models;

/// <summary>
/// Runs made-up sequences through a model's engine so that no client waits for the JIT compiler or for first touches of memory: every row-tile
/// size of the kernels, chunks and single rows, several sequences at once, greedy and drawn tokens, blocks exported and imported.
/// </summary>
internal static class ModelWarmUp
{
    /// <summary>Prompt lengths: single rows, partial and full row tiles, a full block, a chunked prompt.</summary>
    private static readonly int[] PromptLengths = [1, 2, 3, 5, 8, 16, 17, 33, 64];

    private const int AnswerTokens = 8;

    public static void Run(ModelRuntime model, CancellationToken stopping)
    {
        List<SequenceHandle> crowd = [];
        foreach (int length in PromptLengths)
        {
            crowd.Add(Submit(model, length, greedy: length % 2 == 0));
        }

        foreach (SequenceHandle sequence in crowd)
        {
            Drain(sequence, stopping);
        }

        int chunked = Math.Min(model.Executor.StepRowsMax + 40, model.Executor.Model.ContextLength - AnswerTokens);
        Drain(Submit(model, chunked, greedy: true), stopping);
        Drain(Submit(model, length: 1, greedy: false), stopping);
        TouchKv(model);
    }

    private static SequenceHandle Submit(ModelRuntime model, int length, bool greedy)
    {
        // Prompts of different lengths begin differently, so that none is found in the prefix cache.
        int[] prompt = new int[length];
        for (int i = 0; i < length; i++)
        {
            prompt[i] = (length + i) % model.Executor.Model.VocabularySize;
        }

        SubmitResult submitted = model.Engine.Submit(new SequenceRequest
        {
            RequestId = "warm-up",
            PromptTokens = prompt,
            Work = SequenceWork.Generate,
            MaxTokens = AnswerTokens,
            Sampling = greedy ? SamplingParameters.Greedy : new SamplingParameters { TopP = 0.9f, Seed = 1 },
        });
        return submitted.IsAccepted ? submitted.Handle : throw new WorkerStartException($"The warm-up was refused: {submitted.Refusal.Message}");
    }

    private static void Drain(SequenceHandle sequence, CancellationToken stopping)
    {
        using (sequence)
        {
            while (sequence.Outputs.WaitToReadAsync(stopping).AsTask().GetAwaiter().GetResult())
            {
                while (sequence.Outputs.TryRead(out SequenceOutput output))
                {
                    if (output.Kind == SequenceOutputKind.Failed)
                    {
                        throw new WorkerStartException($"The warm-up failed: {output.Error}");
                    }
                }
            }
        }
    }

    private static void TouchKv(ModelRuntime model)
    {
        int blockSize = model.Executor.KvLayout.BlockSize;
        foreach (int slots in new[] { 1, blockSize })
        {
            byte[] bytes = new byte[slots * model.Executor.KvLayout.BytesPerTokenPerLayer];
            model.Executor.ExportBlock(0, default, slots, bytes);
            model.Executor.ImportBlock(0, default, slots, bytes);
        }
    }
}
