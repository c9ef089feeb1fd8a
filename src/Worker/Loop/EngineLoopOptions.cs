using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>Options of one engine.</summary>
public sealed record EngineLoopOptions
{
    /// <summary>Name of the engine's thread, for debuggers and profilers. Default <c>engine</c>.</summary>
    public string ThreadName { get; init; } = "engine";

    /// <summary>The scheduler's budgets.</summary>
    public SchedulerOptions Scheduling { get; init; } = new();
}
