using System.Collections.Frozen;

namespace Serving.Text.ToolCalls;

/// <summary>What one answer may contain.</summary>
public sealed record AnswerParserOptions
{
    /// <summary>Names of the functions that may be called. What looks like a call of another one is text. Empty: calls are not looked for.</summary>
    public FrozenSet<string> Functions { get; init; } = FrozenSet<string>.Empty;

    /// <summary>The answer is over when its first call is.</summary>
    public bool SingleCall { get; init; }

    /// <summary>The prompt has opened the model's thinking already: the answer begins inside it.</summary>
    public bool StartsInReasoning { get; init; }
}
