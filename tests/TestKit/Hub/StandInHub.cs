using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Serving.TestKit.Hub;

/// <summary>
/// Plays a Hugging Face hub on loopback: revision and paginated tree of one repository, files by commit, large ones redirected to a CDN on a port of its own.
/// Large files (<c>.gguf</c>, <c>.safetensors</c>) are named by sha256, others by git's blob hash.
/// </summary>
public sealed class StandInHub : IAsyncDisposable
{
    private const int PageSize = 3;

    private readonly WebApplication _hub;
    private readonly WebApplication _cdn;
    private int _requests;

    private StandInHub(string repository)
    {
        Repository = repository;
        _hub = Build(AnswerHubAsync);
        _cdn = Build(AnswerCdnAsync);
    }

    public string Repository { get; }

    public string Commit { get; set; } = new('a', 40);

    public SortedDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Files whose listed hash is another content's.</summary>
    public HashSet<string> WrongHash { get; } = [];

    /// <summary>Without this bearer token the hub says 401.</summary>
    public string? Token { get; set; }

    /// <summary>Says 403 GatedRepo for files.</summary>
    public bool IsGated { get; set; }

    /// <summary>The CDN hangs up after so many bytes of an answer; null: never.</summary>
    public int? CutAfter { get; set; }

    /// <summary>How many answers are cut before the CDN behaves. Default: all.</summary>
    public int CutsLeft { get; set; } = int.MaxValue;

    /// <summary>The CDN sends everything whatever range is asked for.</summary>
    public bool IgnoresRanges { get; set; }

    /// <summary>The CDN's answers wait for this.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Statuses that the next requests of the hub get instead of an answer.</summary>
    public ConcurrentQueue<int> Failures { get; } = [];

    public string? RetryAfter { get; set; }

    /// <summary>Every request to the CDN: path, Range header or "", Authorization header or "".</summary>
    public ConcurrentQueue<(string Path, string Range, string Authorization)> CdnRequests { get; } = [];

    public int HubRequests => Volatile.Read(ref _requests);

    public Uri Endpoint => Address(_hub);

    public static async Task<StandInHub> StartAsync(string repository)
    {
        var hub = new StandInHub(repository);
        await hub._hub.StartAsync();
        await hub._cdn.StartAsync();
        return hub;
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _cdn.DisposeAsync();
    }

    private static WebApplication Build(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(answer);
        return app;
    }

    private static Uri Address(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/");

    private async Task AnswerHubAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        string path = Uri.UnescapeDataString(context.Request.Path.Value!);
        if (Failures.TryDequeue(out int status))
        {
            context.Response.Headers.RetryAfter = RetryAfter;
            context.Response.StatusCode = status;
        }
        else if (Token is not null && context.Request.Headers.Authorization != $"Bearer {Token}")
        {
            Refuse(context, 401, null, "Invalid username or password.");
        }
        else if (path.StartsWith($"/api/models/{Repository}/revision/", StringComparison.Ordinal))
        {
            await AnswerRevisionAsync(context, path[(path.LastIndexOf('/') + 1)..]);
        }
        else if (path == $"/api/models/{Repository}/tree/{Commit}")
        {
            await AnswerTreeAsync(context);
        }
        else if (path.StartsWith($"/{Repository}/resolve/{Commit}/", StringComparison.Ordinal))
        {
            await AnswerFileAsync(context, path[$"/{Repository}/resolve/{Commit}/".Length..]);
        }
        else
        {
            Refuse(context, 404, "RepoNotFound", "Repository not found");
        }
    }

    private async Task AnswerRevisionAsync(HttpContext context, string revision)
    {
        if (revision is not "main" && revision != Commit)
        {
            Refuse(context, 404, "RevisionNotFound", $"Invalid rev id: {revision}");
            return;
        }

        await context.Response.WriteAsJsonAsync(new { id = Repository, sha = Commit, gated = IsGated });
    }

    private async Task AnswerTreeAsync(HttpContext context)
    {
        int from = int.TryParse(context.Request.Query["cursor"], CultureInfo.InvariantCulture, out int cursor) ? cursor : 0;
        if (from + PageSize < Files.Count)
        {
            context.Response.Headers.Link = $"<{Endpoint}api/models/{Repository}/tree/{Commit}?recursive=true&cursor={from + PageSize}>; rel=\"next\"";
        }

        await context.Response.WriteAsJsonAsync(Files.Skip(from).Take(PageSize).Select(Entry));
    }

    private object Entry(KeyValuePair<string, byte[]> file)
    {
        byte[] content = WrongHash.Contains(file.Key) ? [.. file.Value, 1] : file.Value;
        return IsLarge(file.Key)
            ? new { type = "file", path = file.Key, size = file.Value.Length, oid = new string('b', 40), lfs = new { oid = Convert.ToHexStringLower(SHA256.HashData(content)), size = file.Value.Length, pointerSize = 134 } }
            : new { type = "file", path = file.Key, size = file.Value.Length, oid = GitBlob(content) };
    }

    private async Task AnswerFileAsync(HttpContext context, string path)
    {
        if (IsGated)
        {
            Refuse(context, 403, "GatedRepo", "Access to model is restricted.");
        }
        else if (!Files.TryGetValue(path, out byte[]? content))
        {
            Refuse(context, 404, "EntryNotFound", "Entry not found");
        }
        else if (IsLarge(path))
        {
            context.Response.Headers["X-Repo-Commit"] = Commit;
            context.Response.Redirect($"{Address(_cdn)}{Uri.EscapeDataString(path)}");
        }
        else
        {
            await context.Response.Body.WriteAsync(content);
        }
    }

    private async Task AnswerCdnAsync(HttpContext context)
    {
        string path = Uri.UnescapeDataString(context.Request.Path.Value![1..]);
        string range = context.Request.Headers.Range.ToString();
        CdnRequests.Enqueue((path, range, context.Request.Headers.Authorization.ToString()));
        await Gate.WaitAsync(context.RequestAborted);
        byte[] content = Files[path];
        int from = range.Length > 0 && !IgnoresRanges ? int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture) : 0;
        if (from > 0)
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }

        context.Response.ContentLength = content.Length - from;
        if (CutAfter is { } cut && cut < content.Length - from && CutsLeft-- > 0)
        {
            await context.Response.Body.WriteAsync(content.AsMemory(from, cut));
            await context.Response.Body.FlushAsync();
            context.Abort();
            return;
        }

        await context.Response.Body.WriteAsync(content.AsMemory(from));
    }

    private static void Refuse(HttpContext context, int status, string? code, string message)
    {
        context.Response.StatusCode = status;
        context.Response.Headers["X-Error-Code"] = code;
        context.Response.Headers["X-Error-Message"] = message;
    }

    private static bool IsLarge(string path) => path.EndsWith(".gguf", StringComparison.Ordinal) || path.EndsWith(".safetensors", StringComparison.Ordinal);

#pragma warning disable CA5350 // Git names its blobs by SHA-1.
    private static string GitBlob(byte[] content) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
#pragma warning restore CA5350
}
