namespace Serving.Grammars.Automata;

/// <summary>The bound of automata's sizes.</summary>
internal static class GrammarSize
{
    public static void ThrowIfOver(int states, int statesMax)
    {
        if (states > statesMax)
        {
            throw new GrammarException("", $"is too large: it needs more than {statesMax} states. Use smaller repetition counts, shorter lists or simpler patterns.");
        }
    }
}
