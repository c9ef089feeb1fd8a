namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Cuts at the matches of a pattern.</summary>
/// <param name="invert">Take what lies between the matches for the matches.</param>
internal sealed class SplitPreTokenizer(ISplitPattern pattern, SplitBehavior behavior, bool invert = false) : PreTokenizer
{
    public override void Split(ReadOnlySpan<char> text, EncodeRun run, int next)
    {
        ISplitPattern matches = pattern.ForText(text);
        Pending pending = default;
        int position = 0;
        int from = 0;
        while (from <= text.Length && matches.TryFind(text, from, out int start, out int end))
        {
            Take(text, position, start, invert, ref pending, run, next);
            Take(text, start, end, !invert, ref pending, run, next);
            position = end;
            from = end > start ? end : end + 1;
        }

        Take(text, position, text.Length, invert, ref pending, run, next);
        run.Emit(next, text[pending.Start..pending.End]);
    }

    /// <summary>
    /// Emits or holds back the segment [<paramref name="start"/>, <paramref name="end"/>). What is held back is the piece that a later
    /// segment may still join.
    /// </summary>
    private void Take(ReadOnlySpan<char> text, int start, int end, bool isMatch, ref Pending pending, EncodeRun run, int next)
    {
        if (start == end)
        {
            return;
        }

        bool joins = behavior switch
        {
            SplitBehavior.Contiguous => isMatch == pending.IsMatch,
            SplitBehavior.MergedWithPrevious => isMatch && !pending.IsMatch,
            SplitBehavior.MergedWithNext => !isMatch && pending.IsMatch,
            _ => false,
        };
        if (joins && pending.End > pending.Start)
        {
            pending.End = end;
        }
        else
        {
            run.Emit(next, text[pending.Start..pending.End]);
            pending.Start = behavior == SplitBehavior.Removed && isMatch ? end : start;
            pending.End = end;
        }

        pending.IsMatch = isMatch;
    }

    private struct Pending
    {
        public int Start;
        public int End;
        public bool IsMatch;
    }
}
