using System.Net;
using Serving.Cli.Models;
using Serving.Cli.Output;

namespace Serving.Cli.Hub;

/// <summary>What a hub's refusals mean and what helps.</summary>
internal static class HubErrors
{
    /// <summary>Whether the same question may get an answer later.</summary>
    public static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500;

    public static ModelException Explain(HttpResponseMessage response, ModelReference model, HubOptions hub)
    {
        var status = (int)response.StatusCode;
        var code = Header(response, "X-Error-Code");
        var said = Header(response, "X-Error-Message") is { Length: > 0 } message ? $" The hub says: {message}" : "";
        var page = new Uri(hub.Endpoint, model.Repository);
        return new ModelException((status, code) switch
        {
            (_, "GatedRepo") => hub.Token is null
                ? $"{model.Repository} is gated: accept its terms at {page} and set HF_TOKEN to a token of that account.{said}"
                : $"{model.Repository} is gated, and the account of HF_TOKEN may not read it: accept its terms at {page}, then pull again.{said}",
            (_, "RevisionNotFound") => $"{model.Repository} has no revision '{model.Revision}': --revision takes a branch, a tag or a commit.",
            (_, "EntryNotFound") => $"{model.Repository} lists a file that it does not have: {response.RequestMessage?.RequestUri?.AbsolutePath}.{said}",
            (401, _) when hub.Token is null => $"{model.Repository}: the hub knows no such public model (401). If it is private, set HF_TOKEN to a token that may read it; else check the name.{said}",
            (401, _) => $"The hub refuses the token in HF_TOKEN (401): make another one in the hub's settings, or unset it for a public model.{said}",
            (403, _) => $"{model.Repository}: the hub forbids it (403): the token in HF_TOKEN needs the right to read this repository.{said}",
            (404, _) => $"{model.Repository} is not on {hub.Endpoint.Authority} (404): check owner and name, capitals included{(hub.Token is null ? ", or set HF_TOKEN if it is private" : "")}.{said}",
            (429, _) => $"{hub.Endpoint.Authority} asks for fewer requests (429) and goes on doing so: try again later{(hub.Token is null ? ", or set HF_TOKEN: it allows more" : "")}.{said}",
            _ => $"{response.RequestMessage?.RequestUri?.Authority ?? hub.Endpoint.Authority} answered {status} {response.ReasonPhrase}.{said}",
        });
    }

    /// <summary>A server's words must neither break the line nor move the cursor.</summary>
    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? PrintableLine.Of(string.Concat(string.Join(' ', values).Take(300))) : null;
}
