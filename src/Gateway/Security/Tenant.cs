namespace Serving.Gateway.Security;

/// <summary>Who sent a request: a name derived from the API key that tells nothing of it. Requests without a key have no tenant.</summary>
internal sealed record Tenant(string Name)
{
    /// <summary>The request's tenant; empty without a key.</summary>
    public static string NameOf(HttpContext context) => context.Features.Get<Tenant>()?.Name ?? "";
}
