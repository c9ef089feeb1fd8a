namespace Serving.Storage.Documents;

/// <summary>A tenant has no room.</summary>
/// <param name="Used">What it has stored.</param>
/// <param name="Quota">What it may store.</param>
public sealed record QuotaExceeded(TenantUsage Used, TenantUsage Quota);
