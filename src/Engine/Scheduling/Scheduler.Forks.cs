namespace Serving.Engine.Scheduling;

/// <content>
/// Several answers to one prompt: a sequence group. One of it computes the prompt, the others fork from it: they hold its full blocks too, whether there is a prefix
/// cache or not, and copy the block that the prompt fills in part, into which the first thing each of them does is to write. Only the prompt's last token is computed by each
/// again, for its logits.
/// </content>
public sealed partial class Scheduler
{
    /// <summary>Whether a sequence waits for another one to compute its prompt.</summary>
    private static bool AwaitsParent(Sequence sequence) =>
        sequence is { State: SequenceState.Waiting, Parent: { IsFinished: false } parent } && parent.ComputedTokens < parent.PromptLength;

    /// <summary>Admits those that wait for a sequence to have computed the prompt, at once: its blocks may be gone after its next token.</summary>
    private void AdmitForks(Sequence parent)
    {
        for (var i = 0; i < _waiting.Count && CanRunMore;)
        {
            var sequence = _waiting[i];
            if (sequence.Parent != parent || sequence.State != SequenceState.Waiting)
            {
                i++;
                continue;
            }

            if (!TryAllocate(sequence))
            {
                return;
            }

            Admit(sequence);
        }
    }

    /// <summary>The sequence whose blocks a newcomer may take, or null. It has all of them that the prompt's last token sees.</summary>
    private Sequence? ParentToForkFrom(Sequence sequence)
    {
        if (sequence.State != SequenceState.Waiting
            || sequence.Parent is not { State: SequenceState.Running } parent
            || parent.ComputedTokens < parent.PromptLength)
        {
            return null;
        }

        for (var group = 0; group < _groups.Count; group++)
        {
            if (parent.Table.PassedOf(group) > FirstNeeded(sequence, group, sequence.PromptLength - 1))
            {
                return null;
            }
        }

        return parent;
    }

    /// <summary>Gives a sequence without blocks the full ones of its prompt but for the last token.</summary>
    private void ShareBlocks(Sequence parent, Sequence sequence)
    {
        var computed = sequence.PromptLength - 1;
        var full = computed / _blockSize;
        sequence.Table.Begin(full);
        for (var group = 0; group < _groups.Count; group++)
        {
            for (var block = full - 1; block >= FirstNeeded(sequence, group, computed); block--)
            {
                var shared = parent.Table.Of(group)[block];
                _pool.AddReference(shared);
                sequence.Table.Put(group, block, shared);
            }
        }

        sequence.PublishedBlocks = full;
    }

    /// <summary>Copies the block that the prompt fills in part, for which the sequence has one of its own.</summary>
    private void CopyPartialBlock(Sequence parent, Sequence sequence)
    {
        sequence.ComputedTokens = sequence.PromptLength - 1;
        var last = sequence.ComputedTokens / _blockSize;
        for (var group = 0; group < _groups.Count && sequence.ComputedTokens % _blockSize > 0; group++)
        {
            _copyBlock(parent.Table.Of(group)[last], sequence.Table.Of(group)[last]);
        }
    }
}
