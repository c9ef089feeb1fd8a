using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Serving.Cli.Models;

namespace Serving.Cli.Hub;

/// <summary>
/// Asks a Hugging Face hub. Redirects are followed by hand, because the token goes to the endpoint's own host and to no other. Routes and headers are those that
/// the huggingface_hub library uses (file_download.py, hf_api.py).
/// </summary>
internal sealed class HubClient : IDisposable
{
    private const int RedirectsMax = 10;
    private const int PagesMax = 200;
    private const long AnswerBytesMax = 32 << 20;

    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(15),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public HubClient(HubOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("serving/0.1");
    }

    public HubOptions Options => _options;

    /// <summary>The commit that a revision means now, and every file of it.</summary>
    public async Task<HubSnapshot> SnapshotAsync(ModelReference model, CancellationToken cancellation)
    {
        var api = $"api/models/{model.Repository}";
        var (revision, _) = await GetJsonAsync(new Uri(_options.Endpoint, $"{api}/revision/{Uri.EscapeDataString(model.Revision)}"), HubJson.Default.HubRevision, model, cancellation);
        if (revision.Sha is not { Length: 40 or 64 } commit || !commit.All(char.IsAsciiHexDigitLower))
        {
            throw Broken("names no commit");
        }

        var files = new List<HubFile>();
        Uri? page = new(_options.Endpoint, $"{api}/tree/{commit}?recursive=true");
        for (var pages = 0; page is not null; pages++)
        {
            if (pages == PagesMax)
            {
                throw new ModelException($"{model.Repository} lists more than {PagesMax} pages of files: that is no model.");
            }

            (var entries, page) = await GetJsonAsync(page, HubJson.Default.HubEntryArray, model, cancellation);
            files.AddRange(entries.Where(entry => entry.Type == "file").Select(ToFile));
        }

        return new HubSnapshot(commit, files);
    }

    /// <summary>Where a file of a commit is asked for.</summary>
    public Uri FileUri(ModelReference model, string commit, HubFile file) =>
        new(_options.Endpoint, $"{model.Repository}/resolve/{commit}/{string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>One request, redirects followed. The caller reads the status.</summary>
    /// <exception cref="HttpRequestException">No answer, or none in time.</exception>
    public async Task<HttpResponseMessage> SendAsync(Uri uri, RangeHeaderValue? range, CancellationToken cancellation)
    {
        for (var redirects = 0; redirects <= RedirectsMax; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri) { Headers = { Range = range } };
            if (_options.Token is { } token && IsEndpoint(uri))
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }

            var response = await SendInTimeAsync(request, cancellation);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            var next = new Uri(uri, location);
            if (next.Scheme != uri.Scheme && next.Scheme != Uri.UriSchemeHttps)
            {
                throw new ModelException($"{uri.Authority} redirects to {next.Scheme}://{next.Authority}, which is not protected as it is itself: not followed.");
            }

            uri = next;
        }

        throw new ModelException($"{_options.Endpoint.Authority} redirects more than {RedirectsMax} times.");
    }

    /// <summary>Waits before the next try.</summary>
    /// <param name="fruitless">Tries in a row that brought nothing, this one included.</param>
    /// <param name="retryAfter">What the server asked for.</param>
    /// <returns>False: enough was tried, or the wait would be too long.</returns>
    public async Task<bool> MayRetryAsync(int fruitless, TimeSpan? retryAfter, CancellationToken cancellation)
    {
        if (fruitless >= _options.FruitlessTriesMax || retryAfter > _options.DelayMax)
        {
            return false;
        }

        var own = _options.FirstDelay * Math.Pow(2, Math.Clamp(fruitless - 1, 0, 16));
        var delay = retryAfter > own ? retryAfter.Value : own;
        await Task.Delay(delay < _options.DelayMax ? delay : _options.DelayMax, _time, cancellation);
        return true;
    }

    public TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _time.GetUtcNow(),
        _ => null,
    };

    public void Dispose() => _http.Dispose();

    private async Task<(T Value, Uri? Next)> GetJsonAsync<T>(Uri uri, JsonTypeInfo<T> type, ModelReference model, CancellationToken cancellation)
    {
        for (var tries = 1; ; tries++)
        {
            TimeSpan? retryAfter = null;
            ModelException failure;
            try
            {
                using var response = await SendAsync(uri, range: null, cancellation);
                if (response.IsSuccessStatusCode)
                {
                    return (await ReadJsonAsync(response, type, cancellation), NextPage(response, uri));
                }

                failure = HubErrors.Explain(response, model, _options);
                if (!HubErrors.IsPassing(response.StatusCode))
                {
                    throw failure;
                }

                retryAfter = RetryAfter(response);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                failure = new ModelException($"{uri.Authority} cannot be reached: {e.Message}", e);
            }

            if (!await MayRetryAsync(tries, retryAfter, cancellation))
            {
                throw failure;
            }
        }
    }

    private async Task<T> ReadJsonAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stall.CancelAfter(_options.StallTimeMax);
        try
        {
            await response.Content.LoadIntoBufferAsync(AnswerBytesMax, stall.Token);
            await using var body = await response.Content.ReadAsStreamAsync(stall.Token);
            return await JsonSerializer.DeserializeAsync(body, type, stall.Token) ?? throw Broken("is empty");
        }
        catch (JsonException e)
        {
            throw Broken("is not the JSON that a hub sends: " + e.Message);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"no whole answer within {_options.StallTimeMax.TotalSeconds:0} s", e);
        }
    }

    /// <summary>The <c>rel="next"</c> of the Link header, if it stays on this hub.</summary>
    private Uri? NextPage(HttpResponseMessage response, Uri asked)
    {
        var links = response.Headers.TryGetValues("Link", out var values) ? string.Join(',', values) : "";
        var next = links.Split(',').FirstOrDefault(link => link.Contains("rel=\"next\"", StringComparison.OrdinalIgnoreCase));
        var begin = next?.IndexOf('<', StringComparison.Ordinal) ?? -1;
        var end = next?.IndexOf('>', StringComparison.Ordinal) ?? -1;
        if (begin < 0 || end <= begin)
        {
            return null;
        }

        return Uri.TryCreate(asked, next![(begin + 1)..end], out var uri) && IsEndpoint(uri) ? uri : throw Broken("leads to another host for its next page");
    }

    private async Task<HttpResponseMessage> SendInTimeAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stall.CancelAfter(_options.StallTimeMax);
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer within {_options.StallTimeMax.TotalSeconds:0} s", e);
        }
    }

    private bool IsEndpoint(Uri uri) => uri.Scheme == _options.Endpoint.Scheme && uri.Authority == _options.Endpoint.Authority;

    private HubFile ToFile(HubEntry entry)
    {
        var size = entry.Lfs?.Size ?? entry.Size;
        var sha256 = entry.Lfs?.Oid;
        var blob = entry.Lfs is null ? entry.Oid : null;
        var isHash = sha256 is not null ? IsHash(sha256, 64) : IsHash(blob, 40);
        return entry.Path is { Length: > 0 } path && size >= 0 && isHash ? new HubFile(path, size, sha256, blob) : throw Broken("lists a file without path, size or hash");
    }

    private static bool IsHash(string? text, int length) => text?.Length == length && text.All(char.IsAsciiHexDigitLower);

    private ModelException Broken(string what) => new($"The answer of {_options.Endpoint.Authority} {what}: is HF_ENDPOINT a Hugging Face hub?");
}
