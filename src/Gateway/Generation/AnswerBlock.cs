using System.Text;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Generation;

/// <summary>What a part of an answer is.</summary>
internal enum AnswerBlockKind
{
    /// <summary>What the model wrote for itself.</summary>
    Reasoning,

    Text,

    /// <summary>A call of a function; its text is the JSON of the arguments, as the model wrote it.</summary>
    Call,
}

/// <summary>A part of an answer that is all of one kind.</summary>
/// <param name="index">Its place in the answer, from 0.</param>
/// <param name="call">Of a call: its first delta.</param>
internal sealed class AnswerBlock(AnswerBlockKind kind, int index, ToolCallDelta? call)
{
    public AnswerBlockKind Kind => kind;

    public int Index => index;

    /// <summary>Of a call, else empty.</summary>
    public string CallId => call?.Id ?? "";

    /// <summary>Of a call, else empty.</summary>
    public string CallName => call?.Name ?? "";

    /// <summary>As far as it has come.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>Of its tokens, where they were asked for.</summary>
    public List<TokenLogprobs> Logprobs { get; } = [];
}
