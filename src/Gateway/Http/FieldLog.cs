namespace Serving.Gateway.Http;

/// <summary>Hears which fields of its body a request was asked for, where it is set as a feature of the request: so a test learns what a route knows.</summary>
internal sealed class FieldLog
{
    public HashSet<string> Names { get; } = new(StringComparer.Ordinal);
}
