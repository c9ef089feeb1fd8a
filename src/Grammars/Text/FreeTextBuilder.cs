using System.Text;
using Serving.Grammars.Automata;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Text;

/// <summary>Free text with markers: the automaton of Aho and Corasick (1975) looks for them while any byte may come.</summary>
internal static class FreeTextBuilder
{
    // Bytes that no text has; special tokens are written with them.
    private const byte LastTextByte = 0xFD;

    public static Expression Build(IReadOnlyList<GrammarTrigger> triggers, int min, int? max)
    {
        var texts = triggers.Where(trigger => !trigger.IsSpecialToken).Select(trigger => Encoding.UTF8.GetBytes(trigger.Marker)).ToList();
        CheckMarkers(triggers, texts);
        var machine = MarkerMachine.Of(texts);
        var called = new Expression.Graph(2, [.. Found(triggers, machine)]);
        var free = new Expression.Built(machine.Free());
        if (max is not { } most)
        {
            return Expression.All(new Expression.Repeat(called, min, null), free);
        }

        var last = new Expression.Repeat(called, most, most);
        return min >= most ? last : Expression.Any(Expression.All(new Expression.Repeat(called, min, most - 1), free), last);
    }

    /// <summary>Free text up to a marker, the marker, and what follows it.</summary>
    private static IEnumerable<(int From, Expression? On, int To)> Found(IReadOnlyList<GrammarTrigger> triggers, MarkerMachine machine)
    {
        var text = 0;
        foreach (var trigger in triggers)
        {
            var upToMarker = trigger.IsSpecialToken
                ? Expression.All(new Expression.Built(machine.Free()), new Expression.Bytes(TokenVocabulary.SpecialKey(trigger.Marker)))
                : new Expression.Built(machine.UpTo(text++));
            yield return (0, Expression.All(upToMarker, new Rule("what follows a marker", trigger.Then.Expression).Reference), 1);
        }
    }

    private static void CheckMarkers(IReadOnlyList<GrammarTrigger> triggers, List<byte[]> texts)
    {
        if (triggers.Count == 0 || triggers.Any(trigger => trigger.Marker.Length == 0))
        {
            throw new GrammarException("", "has no marker: give at least one, of at least one character.");
        }

        for (var i = 0; i < texts.Count; i++)
        {
            for (var j = 0; j < texts.Count; j++)
            {
                if (i != j && texts[j].AsSpan().IndexOf(texts[i]) >= 0)
                {
                    throw new GrammarException("", $"has the marker '{Encoding.UTF8.GetString(texts[i])}' within the marker '{Encoding.UTF8.GetString(texts[j])}': it would always come first.");
                }
            }
        }
    }

    /// <summary>Where each byte leads between markers.</summary>
    private sealed class MarkerMachine
    {
        private readonly List<int[]> _next = [NewRow()];
        private readonly Dictionary<int, int> _ends = [];

        public static MarkerMachine Of(List<byte[]> markers)
        {
            var machine = new MarkerMachine();
            for (var i = 0; i < markers.Count; i++)
            {
                machine.Add(markers[i], i);
            }

            machine.Complete();
            return machine;
        }

        /// <summary>Texts without a marker.</summary>
        public Automaton Free() => new([.. Enumerable.Range(0, _next.Count).Select(state => new AutomatonState(Edges(state, -1), [], !_ends.ContainsKey(state)))]);

        /// <summary>Texts that end with a marker, and have none before.</summary>
        public Automaton UpTo(int marker) =>
            new([.. Enumerable.Range(0, _next.Count).Select(state => new AutomatonState(Edges(state, marker), [], _ends.GetValueOrDefault(state, -1) == marker))]);

        private void Add(byte[] marker, int index)
        {
            var state = 0;
            foreach (var value in marker)
            {
                if (_next[state][value] < 0)
                {
                    GrammarSize.ThrowIfOver(_next.Count, GrammarLimits.RuleStatesMax);
                    _next[state][value] = _next.Count;
                    _next.Add(NewRow());
                }

                state = _next[state][value];
            }

            _ends[state] = index;
        }

        /// <summary>Gives each state, by length, the ways of its longest proper suffix where it has none of its own.</summary>
        private void Complete()
        {
            var suffixes = new int[_next.Count];
            var open = new Queue<int>();
            for (var value = 0; value < 256; value++)
            {
                if (_next[0][value] < 0)
                {
                    _next[0][value] = 0;
                }
                else
                {
                    open.Enqueue(_next[0][value]);
                }
            }

            while (open.TryDequeue(out var state))
            {
                for (var value = 0; value < 256; value++)
                {
                    var beyond = _next[suffixes[state]][value];
                    if (_next[state][value] < 0)
                    {
                        _next[state][value] = beyond;
                    }
                    else
                    {
                        suffixes[_next[state][value]] = beyond;
                        open.Enqueue(_next[state][value]);
                    }
                }
            }
        }

        private ByteEdge[] Edges(int state, int marker)
        {
            if (_ends.ContainsKey(state))
            {
                return [];
            }

            var edges = new List<ByteEdge>();
            for (var value = 0; value <= LastTextByte; value++)
            {
                var target = _next[state][value];
                if (_ends.TryGetValue(target, out var found) && found != marker)
                {
                    continue;
                }

                if (edges.Count > 0 && edges[^1].Target == target && edges[^1].Last + 1 == value)
                {
                    edges[^1] = edges[^1] with { Last = (byte)value };
                }
                else
                {
                    edges.Add(new ByteEdge((byte)value, (byte)value, target));
                }
            }

            return [.. edges];
        }

        private static int[] NewRow()
        {
            var row = new int[256];
            Array.Fill(row, -1);
            return row;
        }
    }
}
