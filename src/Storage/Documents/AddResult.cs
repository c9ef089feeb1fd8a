namespace Serving.Storage.Documents;

/// <summary>What became of a new document.</summary>
public enum AddResult
{
    Added,

    /// <summary>One of its name is there; it was left as it is.</summary>
    Exists,

    /// <summary>The tenant has no room for it.</summary>
    QuotaExceeded,
}
