namespace Serving.Engine.Execution;

/// <summary>A sequence's rows in a step.</summary>
/// <param name="RowStart">Its first row; rows of a sequence are consecutive and its positions ascend by one.</param>
/// <param name="RowCount">Rows of this step: 1 in decode, a chunk's length in prefill.</param>
/// <param name="ComputedTokens">Tokens whose KV the blocks already hold: the position of the first row.</param>
/// <param name="Blocks">The sequence's block tables, one for each KV group, of the same length one after the other; each has room for <c>ComputedTokens + RowCount</c> tokens.</param>
/// <param name="HiddenSum">Null, or where its rows' hidden states behind the last norm are summed in the order of their positions: cleared at position 0, so that after
/// the last chunk it is the sum over all tokens, however they were divided into chunks. <c>[<see cref="ModelDescription.Width"/>]</c></param>
public readonly record struct StepSequence(int RowStart, int RowCount, int ComputedTokens, ReadOnlyMemory<BlockId> Blocks, float[]? HiddenSum = null)
{
    /// <summary>The block table of one of so many groups.</summary>
    public ReadOnlySpan<BlockId> BlocksOf(int group, int groups)
    {
        int length = Blocks.Length / groups;
        return Blocks.Span.Slice(group * length, length);
    }
}

/// <summary>
/// One step as a ragged batch: the rows of all its sequences one after the other, no padding. Made once for the largest step and refilled,
/// so that a steady state allocates nothing.
/// </summary>
public sealed class StepPlan
{
    private readonly int[] _tokenIds;
    private readonly int[] _logitRows;
    private readonly StepSequence[] _sequences;
    private readonly float[] _logits;

    /// <param name="rowsMax">Most rows of a step.</param>
    /// <param name="sequencesMax">Most sequences of a step.</param>
    /// <param name="vocabularySize">Width of a row of logits.</param>
    /// <param name="draftsMax">Most guessed tokens, whose logits are wanted too.</param>
    public StepPlan(int rowsMax, int sequencesMax, int vocabularySize, int draftsMax = 0)
    {
        LogitRowsMax = sequencesMax + draftsMax;
        VocabularySize = vocabularySize;
        _tokenIds = new int[rowsMax];
        _logitRows = new int[LogitRowsMax];
        _sequences = new StepSequence[sequencesMax];
        _logits = GC.AllocateUninitializedArray<float>(checked(LogitRowsMax * vocabularySize), pinned: true);
    }

    public int VocabularySize { get; }

    public int RowsMax => _tokenIds.Length;

    public int SequencesMax => _sequences.Length;

    /// <summary>Most rows whose logits are wanted.</summary>
    public int LogitRowsMax { get; }

    public int RowCount { get; private set; }

    public int SequenceCount { get; private set; }

    public int LogitRowCount { get; private set; }

    /// <summary>The token of each row.</summary>
    public ReadOnlySpan<int> TokenIds => _tokenIds.AsSpan(0, RowCount);

    public ReadOnlySpan<StepSequence> Sequences => _sequences.AsSpan(0, SequenceCount);

    /// <summary>Rows whose logits are wanted, ascending.</summary>
    public ReadOnlySpan<int> LogitRows => _logitRows.AsSpan(0, LogitRowCount);

    /// <summary><c>[LogitRowCount, VocabularySize]</c>, filled by the executor.</summary>
    public Span<float> Logits => _logits.AsSpan(0, LogitRowCount * VocabularySize);

    /// <summary>Empties the plan.</summary>
    public void Clear()
    {
        RowCount = 0;
        SequenceCount = 0;
        LogitRowCount = 0;
    }

    /// <summary>Adds a sequence's rows.</summary>
    /// <param name="tokenIds">One token a row.</param>
    /// <param name="computedTokens">Position of the first of them.</param>
    /// <param name="blocks">The block tables (<see cref="StepSequence.Blocks"/>), already long enough.</param>
    /// <param name="wantsLogits">Whether the logits of the last row are wanted.</param>
    /// <returns>The index of the row of <see cref="Logits"/>, or -1.</returns>
    public int Add(ReadOnlySpan<int> tokenIds, int computedTokens, ReadOnlyMemory<BlockId> blocks, bool wantsLogits) =>
        Add(tokenIds, computedTokens, blocks, wantsLogits ? 1 : 0);

    /// <summary>Adds a sequence's rows.</summary>
    /// <param name="tokenIds">One token a row.</param>
    /// <param name="computedTokens">Position of the first of them.</param>
    /// <param name="blocks">The block tables (<see cref="StepSequence.Blocks"/>), already long enough.</param>
    /// <param name="logitRows">How many of the last rows' logits are wanted.</param>
    /// <param name="hiddenSum">Where hidden states are summed (<see cref="StepSequence.HiddenSum"/>); null: nowhere.</param>
    /// <returns>The index of the first one's row of <see cref="Logits"/>, or -1.</returns>
    public int Add(ReadOnlySpan<int> tokenIds, int computedTokens, ReadOnlyMemory<BlockId> blocks, int logitRows, float[]? hiddenSum = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(tokenIds.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RowCount + tokenIds.Length, RowsMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(SequenceCount, SequencesMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logitRows, tokenIds.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(LogitRowCount + logitRows, LogitRowsMax);

        tokenIds.CopyTo(_tokenIds.AsSpan(RowCount));
        _sequences[SequenceCount++] = new StepSequence(RowCount, tokenIds.Length, computedTokens, blocks, hiddenSum);
        RowCount += tokenIds.Length;
        if (logitRows == 0)
        {
            return -1;
        }

        var first = LogitRowCount;
        for (var row = RowCount - logitRows; row < RowCount; row++)
        {
            _logitRows[LogitRowCount++] = row;
        }

        return first;
    }
}
