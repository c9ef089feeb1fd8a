namespace Serving.Cli.Supervision;

/// <summary>Is told what happens to supervised processes, on any thread.</summary>
internal interface ISupervisionObserver
{
    void Started(string name, int pid);

    /// <param name="restartDelay">When it is started again; null: not again.</param>
    void Ended(string name, int exitCode, TimeSpan? restartDelay);

    void Line(string name, string line);
}
