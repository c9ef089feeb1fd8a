using Serving.Engine.Execution;

namespace Serving.Engine.Tests;

/// <summary>A sequence that a test runs by hand, with the block tables of its KV groups one after the other.</summary>
internal sealed class TestSequence(BlockId[] blocks)
{
    public BlockId[] Blocks => blocks;

    public int ComputedTokens { get; set; }
}

/// <summary>Rows that a test wants computed.</summary>
internal readonly record struct TestRows(TestSequence Sequence, int[] TokenIds);

/// <summary>Drives an executor step by step, in place of the scheduler. Every run of rows wants the logits of its last row.</summary>
internal sealed class StepDriver(IModelExecutor executor)
{
    private const int SequencesMax = 64;

    private readonly StepPlan _plan = new(executor.StepRowsMax, SequencesMax, executor.Model.VocabularySize);
    private int _nextBlock;

    /// <summary>Makes a sequence with room for <paramref name="tokensMax"/> tokens; its blocks are in no order.</summary>
    public TestSequence NewSequence(int tokensMax)
    {
        var blocks = new BlockId[executor.KvLayout.Groups.Count * executor.KvLayout.BlocksFor(tokensMax)];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[blocks.Length - 1 - i] = new BlockId(_nextBlock++);
        }

        return new TestSequence(blocks);
    }

    /// <summary>Runs one step and gives the logits of each run's last row.</summary>
    public float[][] Step(params TestRows[] runs)
    {
        _plan.Clear();
        foreach (TestRows run in runs)
        {
            _plan.Add(run.TokenIds, run.Sequence.ComputedTokens, run.Sequence.Blocks, wantsLogits: true);
            run.Sequence.ComputedTokens += run.TokenIds.Length;
        }

        executor.Execute(_plan);
        var logits = new float[runs.Length][];
        for (int i = 0; i < runs.Length; i++)
        {
            logits[i] = _plan.Logits.Slice(i * _plan.VocabularySize, _plan.VocabularySize).ToArray();
        }

        return logits;
    }

    /// <summary>The logits after every token of a text, many rows a step: each row is a run of its own, on the same blocks.</summary>
    public IEnumerable<float[]> AllLogits(int[] tokenIds)
    {
        TestSequence sequence = NewSequence(tokenIds.Length);
        foreach (int[] chunk in tokenIds.Chunk(Math.Min(SequencesMax, executor.StepRowsMax)))
        {
            foreach (float[] logits in Step([.. chunk.Select(id => new TestRows(sequence, [id]))]))
            {
                yield return logits;
            }
        }
    }

    public static int ArgMax(float[] logits) => Array.IndexOf(logits, logits.Max());
}
