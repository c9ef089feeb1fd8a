namespace Serving.Engine.Sampling;

/// <summary>What is added to the logit of one token.</summary>
public readonly record struct TokenBias(int TokenId, float Bias);
