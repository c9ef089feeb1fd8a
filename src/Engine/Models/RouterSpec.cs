namespace Serving.Engine.Models;

/// <summary>How a router's logits become scores.</summary>
public enum RouterScore
{
    /// <summary>Softmax over all experts.</summary>
    Softmax,

    /// <summary>Sigmoid of each.</summary>
    Sigmoid,

    /// <summary>The experts are chosen by their logits; softmax over the chosen ones.</summary>
    SoftmaxOfChosen,
}

/// <summary>How a token's experts are chosen and weighted.</summary>
/// <param name="Experts">Experts of the layer.</param>
/// <param name="Used">Experts of a token.</param>
/// <param name="Score">What the choice and the weights go by.</param>
/// <param name="Renormalize">Whether the chosen weights are divided by their sum.</param>
/// <param name="Scale">What the weights are multiplied with.</param>
/// <param name="Groups">Groups of neighbouring experts, of which a token uses some (DeepSeek-V2, arXiv 2405.04434).</param>
/// <param name="GroupsUsed">Groups of a token.</param>
/// <param name="GroupScoreIsTopTwo">Whether a group counts by its two best experts, or by its best one.</param>
public sealed record RouterSpec(
    int Experts,
    int Used,
    RouterScore Score,
    bool Renormalize,
    float Scale = 1,
    int Groups = 1,
    int GroupsUsed = 1,
    bool GroupScoreIsTopTwo = true);
