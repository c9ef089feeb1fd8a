using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;

namespace Serving.Worker.Models;

/// <summary>A request's priority as the engine's.</summary>
internal static class RequestPriority
{
    public static SequencePriority Of(Priority priority) => priority switch
    {
        Priority.Flex => SequencePriority.Flex,
        Priority.Priority => SequencePriority.Priority,
        _ => SequencePriority.Default,
    };
}
