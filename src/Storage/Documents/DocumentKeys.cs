using StackExchange.Redis;

namespace Serving.Storage.Documents;

/// <summary>Every key that documents use in Redis. The braces keep a tenant's keys in one slot of a Redis cluster, because transactions use several.</summary>
internal static class DocumentKeys
{
    /// <summary>Set: every tenant that has ever stored something.</summary>
    public static readonly RedisKey Tenants = "serving:stored:tenants";

    /// <summary>Hash: the document's JSON, what it counts for, when it expires (Unix milliseconds) and its version.</summary>
    public static RedisKey Document(DocumentKey key) => $"{Of(key.Tenant)}:{key.Kind}:{key.Id}";

    /// <summary>Sorted set, every score 0 and so in the order of the names: a tenant's documents of a kind.</summary>
    public static RedisKey Index(string tenant, string kind) => $"{Of(tenant)}:{kind}";

    /// <summary>Sorted set: <c>kind:name</c> by the time at which it expires.</summary>
    public static RedisKey Expiry(string tenant) => $"{Of(tenant)}#expiry";

    /// <summary>Hash: how many bytes and documents a tenant has.</summary>
    public static RedisKey Usage(string tenant) => $"{Of(tenant)}#usage";

    private static string Of(string tenant) => $"serving:{{stored:{tenant}}}";
}
