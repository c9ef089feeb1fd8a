namespace Serving.Grammars.Matching;

/// <summary>
/// All places at which a text may be in its grammar at once. Equal ones are one object, which remembers where each byte leads: a lazily built
/// deterministic automaton.
/// </summary>
internal sealed class Configuration(StackNode[] tops, bool isComplete, bool escapes, int classCount)
{
    /// <summary>Places with bytes to come, by ascending id.</summary>
    public StackNode[] Tops => tops;

    /// <summary>Whether the text may end here.</summary>
    public bool IsComplete => isComplete;

    /// <summary>In a rule looked at by itself: whether the rule may end here.</summary>
    public bool Escapes => escapes;

    public bool IsDead => tops.Length == 0 && !isComplete && !escapes;

    /// <summary>By byte class; null: not yet looked for.</summary>
    public Configuration?[] Next { get; } = new Configuration?[classCount];
}
