namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>What becomes of the matches of a split pattern; the names are tokenizer.json's.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
