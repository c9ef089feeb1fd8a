namespace Serving.Grammars.Automata;

/// <summary>A rule's automaton. A counted one is an item that is repeated: its counts are kept beside the state while matching.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="CountMin">Of a counted rule: fewest items.</param>
/// <param name="CountMax">Most items; <see cref="Unlimited"/>: without end.</param>
internal sealed record RuleAutomaton(string Name, Automaton Automaton, bool IsCounted = false, int CountMin = 0, int CountMax = RuleAutomaton.Unlimited)
{
    public const int Unlimited = int.MaxValue;
}
