namespace Serving.Control.Leadership;

/// <summary>Whether this control process leads.</summary>
internal interface ILeadership
{
    /// <summary>This process, new at every start.</summary>
    string Id { get; }

    /// <summary>The term that this process leads in; null while it does not.</summary>
    LeaderTerm? Term { get; }
}

/// <summary>A leader and its fencing token.</summary>
internal sealed record LeaderTerm(string Id, long Number);
