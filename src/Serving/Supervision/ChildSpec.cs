namespace Serving.Cli.Supervision;

/// <summary>A process to keep running.</summary>
/// <param name="Name">What people call it: <c>decode-worker</c>.</param>
/// <param name="FileName">The program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Variables set beside those that it inherits; null removes one.</param>
/// <param name="WorkingDirectory">Where it runs.</param>
/// <param name="StopTimeMax">How long it may take from the order to stop until it is killed.</param>
internal sealed record ChildSpec(
    string Name,
    string FileName,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string?> Environment,
    string WorkingDirectory,
    TimeSpan StopTimeMax);
