using System.Collections.Concurrent;
using Serving.Grammars.Automata;

namespace Serving.Grammars.Matching;

/// <summary>
/// The masks of rules' states, shared by all grammars over a vocabulary: what a rule without calls says of a token is the same in each, so a schema that was
/// never seen still finds the masks of its strings and numbers.
/// </summary>
internal sealed class RuleMasks
{
    /// <summary>Rules that are kept; when there are more, all are forgotten here, and live on in the grammars that have them.</summary>
    private const int RulesMax = 500;

    private readonly Dictionary<Automaton, ConcurrentDictionary<(int State, int Needed, int Left), LocalMask>> _rules = new(SameStates.Instance);

    /// <summary>The masks of a rule, by state and counts; those of a rule with calls are nobody else's.</summary>
    public ConcurrentDictionary<(int State, int Needed, int Left), LocalMask> Of(Automaton automaton)
    {
        if (automaton.HasCalls)
        {
            return [];
        }

        lock (_rules)
        {
            if (_rules.TryGetValue(automaton, out var known))
            {
                return known;
            }

            if (_rules.Count >= RulesMax)
            {
                _rules.Clear();
            }

            _rules.Add(automaton, known = []);
            return known;
        }
    }

    private sealed class SameStates : IEqualityComparer<Automaton>
    {
        public static SameStates Instance { get; } = new();

        public bool Equals(Automaton? x, Automaton? y) => ReferenceEquals(x, y)
            || (x is not null && y is not null && x.States.Count == y.States.Count && x.States.Zip(y.States).All(pair => AreEqual(pair.First, pair.Second)));

        public int GetHashCode(Automaton automaton)
        {
            var hash = default(HashCode);
            foreach (var state in automaton.States)
            {
                hash.Add(state.Accepts);
                foreach (var edge in state.Bytes)
                {
                    hash.Add(edge);
                }
            }

            return hash.ToHashCode();
        }

        private static bool AreEqual(AutomatonState left, AutomatonState right) =>
            left.Accepts == right.Accepts && left.Bytes.AsSpan().SequenceEqual(right.Bytes);
    }
}
