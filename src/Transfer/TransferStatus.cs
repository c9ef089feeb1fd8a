namespace Serving.Transfer;

/// <summary>How a transfer ended. The numbers are part of the wire format: an abort notice carries one.</summary>
public enum TransferStatus
{
    /// <summary>Every byte has arrived and was checked.</summary>
    Completed = 0,

    /// <summary>The peer cannot be reached, closed the connection, or was silent for too long.</summary>
    PeerLost = 1,

    /// <summary>One side gave up and told the other.</summary>
    Aborted = 2,

    /// <summary>A frame was damaged, out of its bounds, double, missing, or out of turn.</summary>
    Corrupt = 3,

    /// <summary>Nobody claimed the lease in time.</summary>
    Expired = 4,

    /// <summary>The peer does not take this transfer: unknown lease, another shape, wrong key or version.</summary>
    Refused = 5,
}
