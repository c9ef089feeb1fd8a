namespace Serving.Text.Tokenization.Models;

/// <summary>Says whether two neighbouring symbols become one, and how urgently.</summary>
internal interface IMergeRule
{
    /// <param name="start">Where the left symbol starts in the piece.</param>
    /// <param name="end">Where the right symbol ends.</param>
    /// <param name="priority">Lower merges first; below <see cref="uint.MaxValue"/>.</param>
    bool TryMerge(int leftId, int rightId, int start, int end, out uint priority, out int mergedId);
}
