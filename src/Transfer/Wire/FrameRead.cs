namespace Serving.Transfer.Wire;

/// <summary>What <see cref="FrameReader.ReadAsync"/> found.</summary>
internal enum FrameRead
{
    /// <summary>A whole frame with the right checksum.</summary>
    Frame,

    /// <summary>The peer closed between two frames.</summary>
    Closed,

    /// <summary>The connection broke, or ended inside a frame.</summary>
    Lost,

    /// <summary>A length out of bounds, or a wrong checksum: nothing after it on this connection can be trusted.</summary>
    Damaged,
}
