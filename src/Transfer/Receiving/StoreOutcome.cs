namespace Serving.Transfer.Receiving;

/// <summary>What a lease did with a data frame.</summary>
internal enum StoreOutcome
{
    Stored,

    /// <summary>The lease has ended or is about to: nothing was written, and its completion tells how.</summary>
    Ended,

    /// <summary>The frame broke a rule: nothing was written.</summary>
    Violation,
}
