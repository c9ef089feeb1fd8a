namespace Serving.Grammars;

/// <summary>A constraint that cannot be held: wrong, contradictory, or beyond a bound. The client's mistake, never a bug.</summary>
/// <param name="path">Where in the constraint: <c>.properties.name.pattern</c>, empty for the whole.</param>
/// <param name="reason">What is wrong and how to mend it: "has no end: …".</param>
public sealed class GrammarException(string path, string reason) : Exception($"{(path.Length == 0 ? "The constraint" : path)} {reason}")
{
    /// <summary>Where in the constraint; empty for the whole.</summary>
    public string Path => path;

    /// <summary>What is wrong, without the path.</summary>
    public string Reason => reason;
}
