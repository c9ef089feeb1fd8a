using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Serving.ServiceDefaults.Security;

/// <summary>The internal APIs' authentication: <c>Authorization: Bearer</c> with the token that is derived from the cluster secret.</summary>
public static class InternalAuthentication
{
    internal const string Scheme = "Bearer";

    /// <summary>Answers 401 to every request without the cluster's token, whatever its route. Comes first in the pipeline.</summary>
    public static IApplicationBuilder UseInternalAuthentication(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.Use(next =>
        {
            // Here and not above, because this runs when the host starts, where a mistake with the secret is reported as one.
            var expected = Encoding.ASCII.GetBytes($"{Scheme} {app.ApplicationServices.GetRequiredService<ClusterSecret>().HttpToken}");
            return context => IsExpected(context.Request, expected) ? next(context) : Refuse(context.Response);
        });
    }

    private static bool IsExpected(HttpRequest request, byte[] expected)
    {
        // Several Authorization headers come joined by commas and match nothing.
        var given = Encoding.UTF8.GetBytes(request.Headers.Authorization.ToString());
        return CryptographicOperations.FixedTimeEquals(given, expected);
    }

    private static Task Refuse(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status401Unauthorized;
        response.Headers.WWWAuthenticate = Scheme;
        return Task.CompletedTask;
    }
}
