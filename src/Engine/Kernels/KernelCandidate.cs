namespace Serving.Engine.Kernels;

/// <summary>What came of one instruction set when the process chose its matrix kernels.</summary>
/// <param name="Name"><c>portable</c>, <c>avx2</c>, <c>avx512</c> or <c>avx512vnni</c>.</param>
/// <param name="Verdict">Why it was chosen or not.</param>
/// <param name="Microseconds">What the trial products took; 0 where it was not measured.</param>
public sealed record KernelCandidate(string Name, KernelVerdict Verdict, double Microseconds);
