using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Serving.Grammars.Automata;

namespace Serving.Grammars.Matching;

/// <summary>
/// What all grammars over a vocabulary have in common: the masks of rules' states, for what a rule without calls says of a token is the same in each, so that a schema
/// that was never seen still finds the masks of its strings and numbers; and the bound on the memory that all masks take.
/// </summary>
internal sealed class MaskCache
{
    /// <summary>Masks' memory; when there is more, all are forgotten, and found anew where they are needed.</summary>
    private const long BytesMax = 256L << 20;

    /// <summary>Rules that are kept; when there are more, all are forgotten here, and live on in the grammars that have them.</summary>
    private const int RulesMax = 500;

    private readonly Lock _lock = new();
    private readonly Dictionary<RuleAutomaton, ConcurrentDictionary<MaskKey, LocalMask>> _rules = new(SameStates.Instance);
    private readonly List<WeakReference<TokenMasks>> _grammars = [];
    private long _bytes;

    /// <summary>The masks of a rule without calls.</summary>
    public ConcurrentDictionary<MaskKey, LocalMask> Of(RuleAutomaton rule)
    {
        lock (_lock)
        {
            if (_rules.Count >= RulesMax)
            {
                _rules.Clear();
            }

            return CollectionsMarshal.GetValueRefOrAddDefault(_rules, rule, out _) ??= [];
        }
    }

    /// <summary>Takes in a grammar whose masks count.</summary>
    public void Enter(TokenMasks grammar)
    {
        lock (_lock)
        {
            _grammars.RemoveAll(reference => !reference.TryGetTarget(out _));
            _grammars.Add(new WeakReference<TokenMasks>(grammar));
        }
    }

    /// <summary>Counts a new mask.</summary>
    public void Add(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) > BytesMax)
        {
            Forget();
        }
    }

    private void Forget()
    {
        lock (_lock)
        {
            if (Interlocked.Read(ref _bytes) <= BytesMax)
            {
                return;
            }

            Interlocked.Exchange(ref _bytes, 0);
            foreach (var masks in _rules.Values)
            {
                masks.Clear();
            }

            foreach (var reference in _grammars)
            {
                if (reference.TryGetTarget(out var grammar))
                {
                    grammar.Forget();
                }
            }
        }
    }

    private sealed class SameStates : IEqualityComparer<RuleAutomaton>
    {
        public static SameStates Instance { get; } = new();

        // Bounds of a repetition are no part of its states' masks.
        public bool Equals(RuleAutomaton? x, RuleAutomaton? y) => x is not null && y is not null && x.IsCounted == y.IsCounted && AreEqual(x.Automaton, y.Automaton);

        public int GetHashCode(RuleAutomaton rule)
        {
            var hash = default(HashCode);
            foreach (var state in rule.Automaton.States)
            {
                hash.Add(state.Accepts);
                foreach (var edge in state.Bytes)
                {
                    hash.Add(edge);
                }
            }

            return hash.ToHashCode();
        }

        private static bool AreEqual(Automaton x, Automaton y) => ReferenceEquals(x, y)
            || (x.States.Count == y.States.Count && x.States.Zip(y.States).All(pair => AreEqual(pair.First, pair.Second)));

        private static bool AreEqual(AutomatonState left, AutomatonState right) =>
            left.Accepts == right.Accepts && left.Bytes.AsSpan().SequenceEqual(right.Bytes);
    }
}
