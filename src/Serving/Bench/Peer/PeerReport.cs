using Serving.Engine.Kernels;

namespace Serving.Cli.Bench.Peer;

/// <summary>What a comparison gave, and under which circumstances.</summary>
/// <param name="Kernels">Our matrix kernels.</param>
/// <param name="PeerVersion">llama.cpp's version.</param>
/// <param name="PeerSystem">Instruction sets that llama.cpp says it uses.</param>
/// <param name="PeerPath">Its library.</param>
internal sealed record PeerReport(
    BenchMachine Machine, KernelSelection Kernels, string PeerVersion, string PeerSystem, string PeerPath, int Threads, int Rounds, IReadOnlyList<PeerResult> Results);

/// <summary>One case's figures.</summary>
/// <param name="Ours">Tokens per second by round.</param>
/// <param name="Theirs">llama.cpp's, measured in turns with ours.</param>
/// <param name="AgreeingStreams">Streams for which both chose the same first token: they compute the same model.</param>
internal sealed record PeerResult(PeerCase Case, IReadOnlyList<double> Ours, IReadOnlyList<double> Theirs, int AgreeingStreams)
{
    public string Model { get; init; } = "";

    /// <summary>Our numeric class and instruction set.</summary>
    public string ComputePath { get; init; } = "";

    public double Ratio => Statistics.Median(Ours) / Statistics.Median(Theirs);
}
