namespace Serving.Cli.Bench.Peer;

/// <summary>One of the two engines, with one model loaded.</summary>
internal interface IPeerSide : IDisposable
{
    /// <summary>Makes ready for a case, whose every measurement uses these prompts.</summary>
    void Prepare(PeerCase one, int[][] prompts);

    /// <summary>Runs the case once. No thread of this side computes any more when it returns, at the latest a moment later.</summary>
    /// <returns>The prompt's steps, or the decode steps in which every stream takes part.</returns>
    StepSum Measure();

    /// <summary>The first token after each prompt, as it was chosen in the last measurement.</summary>
    IReadOnlyList<int> FirstTokens { get; }
}
