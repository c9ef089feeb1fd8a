using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads vLLM's <c>cache_salt</c>.</summary>
internal static class CacheSaltReader
{
    private const int LengthMax = 256;

    /// <summary>Only requests with the same salt share computed KV blocks; empty: those that have none.</summary>
    public static string Read(RequestFields fields) => fields.Text("cache_salt", LengthMax) ?? "";
}
