namespace Serving.Transfer.Receiving;

/// <summary>What a lease did with a data frame.</summary>
internal enum StoreOutcome
{
    Stored,

    /// <summary>The lease has ended meanwhile: nothing was written.</summary>
    Ended,

    /// <summary>The frame broke a rule: nothing was written.</summary>
    Violation,
}
