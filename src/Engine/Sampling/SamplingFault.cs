namespace Serving.Engine.Sampling;

/// <summary>What is wrong with <see cref="SamplingParameters"/>.</summary>
/// <param name="Property">The property's name.</param>
/// <param name="Value">What it, or the part of it that is at fault, is.</param>
/// <param name="Requirement">"must be at least 0".</param>
public readonly record struct SamplingFault(string Property, object? Value, string Requirement);
