using System.Collections.Immutable;

namespace Serving.Text.Streaming;

/// <summary>
/// Ends a text at the first stop sequence in it, however the text is cut into pieces. The text ends before the sequence that is complete
/// first; of several that are complete with the same character, before the longest. Held back is only what may still become one.
/// One automaton for all sequences (Aho and Corasick, "Efficient string matching", 1975), so that time is linear in the text. Not for use
/// by several threads.
/// </summary>
public sealed class StopSequenceMatcher
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<Node> _nodes = [new Node("", 0, null)];
    private int _state;
    private string? _stopped;

    /// <exception cref="ArgumentException">A stop sequence is empty.</exception>
    public StopSequenceMatcher(IEnumerable<string> stopSequences)
    {
        foreach (string sequence in stopSequences)
        {
            if (sequence.Length == 0)
            {
                throw new ArgumentException("A stop sequence is empty; it would end every text before it begins.", nameof(stopSequences));
            }

            Insert(sequence);
        }

        LinkFallbacks();
    }

    /// <summary>Takes the next piece. After a stop, further pieces come to nothing.</summary>
    public StopMatch Append(string text)
    {
        if (_stopped is not null)
        {
            return new StopMatch("", _stopped);
        }

        Node before = _nodes[_state];
        for (int i = 0; i < text.Length; i++)
        {
            _state = Step(_state, text[i]);
            if (_nodes[_state].Stop is string stop)
            {
                _stopped = stop;
                _state = 0;
                return new StopMatch(Take(before, text, before.Depth + i + 1 - stop.Length), stop);
            }
        }

        return new StopMatch(Take(before, text, before.Depth + text.Length - _nodes[_state].Depth), null);
    }

    /// <summary>Ends the text: what was held back.</summary>
    public string Flush()
    {
        Node held = _nodes[_state];
        _state = 0;
        return held.Sequence[..held.Depth];
    }

    /// <summary>The first <paramref name="count"/> characters of what was held back and <paramref name="text"/> after it.</summary>
    private static string Take(Node held, string text, int count)
    {
        if (count <= 0)
        {
            return "";
        }

        if (held.Depth == 0)
        {
            return count == text.Length ? text : text[..count];
        }

        return count <= held.Depth
            ? held.Sequence[..count]
            : string.Concat(held.Sequence.AsSpan(0, held.Depth), text.AsSpan(0, count - held.Depth));
    }

    private int Step(int state, char next)
    {
        int target;
        while (!_edges.TryGetValue((state, next), out target) && state != 0)
        {
            state = _nodes[state].Fallback;
        }

        return target;
    }

    private void Insert(string sequence)
    {
        int node = 0;
        for (int i = 0; i < sequence.Length; i++)
        {
            if (!_edges.TryGetValue((node, sequence[i]), out int next))
            {
                next = _nodes.Count;
                _nodes.Add(new Node(sequence, i + 1, null));
                _edges.Add((node, sequence[i]), next);
            }

            node = next;
        }

        _nodes[node] = _nodes[node] with { Stop = sequence };
    }

    /// <summary>Breadth first, so that a node's fallback, which is nearer to the root, is known before the node.</summary>
    private void LinkFallbacks()
    {
        ImmutableArray<((int Node, char Next) Edge, int Target)> edges =
            [.. _edges.Select(edge => (edge.Key, edge.Value)).OrderBy(edge => _nodes[edge.Value].Depth)];
        foreach (((int parent, char next), int node) in edges)
        {
            int fallback = parent == 0 ? 0 : Step(_nodes[parent].Fallback, next);
            _nodes[node] = _nodes[node] with { Fallback = fallback, Stop = _nodes[node].Stop ?? _nodes[fallback].Stop };
        }
    }

    /// <summary>The state of having seen the first <c>Depth</c> characters of <c>Sequence</c>, and nothing longer.</summary>
    private readonly record struct Node(string Sequence, int Depth, string? Stop)
    {
        public int Fallback { get; init; }
    }
}
