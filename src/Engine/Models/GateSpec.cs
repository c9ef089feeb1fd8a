namespace Serving.Engine.Models;

/// <summary>Functions of a gated linear unit (Shazeer, arXiv 2002.05202).</summary>
public enum GateActivation
{
    /// <summary><c>silu(gate) · up</c>.</summary>
    Silu,

    /// <summary><c>gelu(gate) · up</c>, GELU by its tanh approximation (Gemma).</summary>
    GeluTanh,

    /// <summary><c>(up + 1) · gate · sigmoid(α · gate)</c>, gate cut off above and up on both sides at a limit (GPT-OSS).</summary>
    ClampedSwish,
}

/// <summary>A gated linear unit.</summary>
/// <param name="Alpha">The sigmoid's slope, for <see cref="GateActivation.ClampedSwish"/>.</param>
/// <param name="Limit">The limit, for <see cref="GateActivation.ClampedSwish"/>.</param>
public sealed record GateSpec(GateActivation Activation, float Alpha = 1, float Limit = 0);
