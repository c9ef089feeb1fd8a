namespace Serving.Transfer.Wire;

internal enum FrameType : byte
{
    /// <summary>Sender: begins a transfer; the payload is the shape.</summary>
    Open = 1,

    /// <summary>Receiver: the lease is this connection's, under the header's generation.</summary>
    Accept = 2,

    /// <summary>Receiver: no transfer; the payload says why. The connection stays good.</summary>
    Refuse = 3,

    /// <summary>Sender: one layer of one block.</summary>
    Data = 4,

    /// <summary>Sender: everything was sent; the payload has the totals.</summary>
    End = 5,

    /// <summary>Receiver: everything is stored.</summary>
    Ack = 6,

    /// <summary>Either side: the transfer is over; the header has the status, the payload says why. The connection ends.</summary>
    Abort = 7,
}
