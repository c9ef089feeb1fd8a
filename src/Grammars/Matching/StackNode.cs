using Serving.Grammars.Automata;

namespace Serving.Grammars.Matching;

/// <summary>
/// A place in a grammar: a state of a rule, how many items a counted rule still needs and may have, and where to go on once the rule ends. Nodes
/// share their parents, and equal ones are one object.
/// </summary>
/// <param name="left">Items that may come; <see cref="RuleAutomaton.Unlimited"/>: any number.</param>
/// <param name="parent">Null: the text ends with the rule.</param>
internal sealed class StackNode(int id, int state, int needed, int left, StackNode? parent)
{
    private StackMask? _mask;
    private Configuration? _resumed;

    public int Id => id;

    public int State => state;

    public int Needed => needed;

    public int Left => left;

    public StackNode? Parent => parent;

    /// <summary>Tokens that may come here; null until they are first asked for. Any thread may find and set them: all find the same.</summary>
    public StackMask? Mask
    {
        get => Volatile.Read(ref _mask);
        set => Volatile.Write(ref _mask, value);
    }

    /// <summary>Where a text is that comes back to this place; null until it is first asked for.</summary>
    public Configuration? Resumed
    {
        get => Volatile.Read(ref _resumed);
        set => Volatile.Write(ref _resumed, value);
    }
}
