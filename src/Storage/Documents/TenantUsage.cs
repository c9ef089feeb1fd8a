namespace Serving.Storage.Documents;

/// <summary>What a tenant has stored, or may store.</summary>
public readonly record struct TenantUsage(long Bytes, long Objects)
{
    /// <summary>Whether this much is within a quota.</summary>
    public bool IsWithin(TenantUsage quota) => Bytes <= quota.Bytes && Objects <= quota.Objects;
}
