namespace Serving.Engine.Sampling;

/// <summary>The natural logarithm of a token's probability, as the model gives it.</summary>
public readonly record struct TokenLogprob(int TokenId, float Logprob);
