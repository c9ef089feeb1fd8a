using Serving.Engine;
using Serving.Engine.Execution;

namespace Serving.Cli.Verify.Models;

/// <summary>Runs token sequences through a model, in place of the scheduler.</summary>
internal sealed class LogitRunner(IModelExecutor executor)
{
    /// <summary>Rows of a step.</summary>
    public const int RowsMax = 64;

    private readonly StepPlan _plan = new(RowsMax, RowsMax, executor.Model.VocabularySize);

    /// <summary>The logits after every token, one row after the other. The row is valid until the next is asked for.</summary>
    public IEnumerable<ReadOnlyMemory<float>> All(IReadOnlyList<int> tokens)
    {
        var layout = executor.KvLayout;
        ReadOnlyMemory<BlockId> blocks = Enumerable.Range(0, layout.Groups.Count * layout.BlocksFor(tokens.Count)).Select(block => new BlockId(block)).ToArray();
        var logits = new float[executor.Model.VocabularySize];
        for (var start = 0; start < tokens.Count; start += RowsMax)
        {
            var count = Math.Min(RowsMax, tokens.Count - start);
            _plan.Clear();
            for (var i = 0; i < count; i++)
            {
                // Each token is a run of its own on the same blocks, so that each row's logits can be had.
                _plan.Add([tokens[start + i]], start + i, blocks, wantsLogits: true);
            }

            executor.Execute(_plan);
            for (var i = 0; i < count; i++)
            {
                _plan.Logits.Slice(i * logits.Length, logits.Length).CopyTo(logits);
                yield return logits;
            }
        }
    }
}
