namespace Serving.Engine.Scheduling;

/// <summary>Who goes first. A higher one is admitted before every lower one, and keeps its blocks where a lower one loses them.</summary>
public enum SequencePriority
{
    /// <summary>Work that can wait.</summary>
    Flex = -1,

    Default = 0,

    /// <summary>Work that others wait for.</summary>
    Priority = 1,
}
