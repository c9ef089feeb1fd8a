using Serving.Engine.KvCache;

namespace Serving.Engine.Execution.Cpu;

/// <summary>Token, position, KV blocks and slot of every row of a step, unrolled from its sequences and checked once.</summary>
internal sealed class StepRows(KvCacheLayout layout, int kvBlocks, int rowsMax, int contextLength, int vocabularySize)
{
    private readonly int[] _tokens = new int[rowsMax];
    private readonly int[] _positions = new int[rowsMax];

    // [group][row]
    private readonly BlockId[] _blocks = new BlockId[layout.Groups.Count * rowsMax];

    public ReadOnlySpan<int> Tokens => _tokens;

    public ReadOnlySpan<int> Positions => _positions;

    /// <summary>Where each row of a step leaves its KV in the layers of a group.</summary>
    public ReadOnlySpan<BlockId> BlocksOf(int group) => _blocks.AsSpan(group * rowsMax, rowsMax);

    public int Slot(int row) => _positions[row] % layout.BlockSize;

    /// <exception cref="ArgumentException">The plan asks for what the model or its KV storage does not have.</exception>
    public void Fill(StepPlan plan)
    {
        if (plan.RowCount > rowsMax || plan.VocabularySize != vocabularySize)
        {
            throw new ArgumentException(
                $"The plan has {plan.RowCount} rows and {plan.VocabularySize} logits a row; the executor takes {rowsMax} and {vocabularySize}.", nameof(plan));
        }

        plan.TokenIds.CopyTo(_tokens);
        for (int row = 0; row < plan.RowCount; row++)
        {
            if ((uint)_tokens[row] >= (uint)vocabularySize)
            {
                throw new ArgumentException($"Row {row} has the token {_tokens[row]}; the vocabulary has {vocabularySize}.", nameof(plan));
            }
        }

        foreach (ref readonly StepSequence sequence in plan.Sequences)
        {
            FillSequence(sequence);
        }
    }

    private void FillSequence(in StepSequence sequence)
    {
        int end = checked(sequence.ComputedTokens + sequence.RowCount);
        int blocks = sequence.Blocks.Length / layout.Groups.Count;
        if (sequence.ComputedTokens < 0 || end > contextLength || layout.BlocksFor(end) > blocks)
        {
            throw new ArgumentException(
                $"A sequence of {end} tokens needs {layout.BlocksFor(end)} KV blocks and a context of {end}; it has {blocks} and {contextLength}.");
        }

        for (int i = 0; i < sequence.RowCount; i++)
        {
            _positions[sequence.RowStart + i] = sequence.ComputedTokens + i;
        }

        for (int group = 0; group < layout.Groups.Count; group++)
        {
            FillBlocks(in sequence, sequence.BlocksOf(group, layout.Groups.Count), _blocks.AsSpan((group * rowsMax) + sequence.RowStart, sequence.RowCount));
        }
    }

    private void FillBlocks(in StepSequence sequence, ReadOnlySpan<BlockId> table, Span<BlockId> blocks)
    {
        for (int i = 0; i < blocks.Length; i++)
        {
            BlockId block = table[(sequence.ComputedTokens + i) / layout.BlockSize];
            if ((uint)block.Value >= (uint)kvBlocks)
            {
                throw new ArgumentException($"A sequence names the KV block {block.Value}; the storage has {kvBlocks}.");
            }

            blocks[i] = block;
        }
    }
}
