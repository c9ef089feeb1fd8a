using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.Cli.Chat;

/// <summary>A small client of the OpenAI chat API.</summary>
internal sealed class ChatClient : IDisposable
{
    private static readonly Uri Models = new("v1/models", UriKind.Relative);
    private static readonly Uri Completions = new("v1/chat/completions", UriKind.Relative);

    private readonly HttpClient _http;

    /// <param name="url">The API's address without <c>/v1</c>.</param>
    public ChatClient(Uri url, string? apiKey, HttpMessageHandler? handler = null)
    {
        _http = new HttpClient(handler ?? new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), UseCookies = false })
        {
            BaseAddress = new Uri(url.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (apiKey is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }
    }

    /// <summary>Whether anything at all answers.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(Models, cancellationToken);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>The first model that the API lists.</summary>
    public async Task<string> FirstModelAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Models);
        using var response = await SendAsync(request, cancellationToken);
        var list = Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return (string?)list?["data"]?.AsArray().FirstOrDefault()?["id"]
            ?? throw new ApiException($"{_http.BaseAddress} serves no model: name one with --model.");
    }

    /// <summary>The answer, piece by piece as it comes.</summary>
    /// <exception cref="ApiException">It is refused, or ends in an error or too early.</exception>
    public async IAsyncEnumerable<ChatPiece> AskAsync(ChatRequest question, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Completions) { Content = JsonContent.Create(question, ChatJson.Default.ChatRequest) };
        using var response = await SendAsync(request, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var events = SseParser.Create(body).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(events))
        {
            if (events.Current.Data == "[DONE]")
            {
                yield break;
            }

            var chunk = Parse(events.Current.Data);
            if (chunk?["error"] is { } error)
            {
                throw new ApiException(Describe(error));
            }

            var delta = chunk?["choices"]?.AsArray().FirstOrDefault()?["delta"];
            if ((string?)delta?["reasoning_content"] is { Length: > 0 } thought)
            {
                yield return new ChatPiece(thought, IsThought: true);
            }

            if ((string?)delta?["content"] is { Length: > 0 } text)
            {
                yield return new ChatPiece(text, IsThought: false);
            }
        }

        throw new ApiException("The answer broke off.");
    }

    public void Dispose() => _http.Dispose();

    private static async Task<bool> NextAsync(IAsyncEnumerator<SseItem<string>> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new ApiException($"The answer broke off: {e.Message}");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new ApiException($"{_http.BaseAddress} cannot be reached: {e.Message}");
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var error = Parse(await response.Content.ReadAsStringAsync(cancellationToken))?["error"];
            throw new ApiException($"{(int)response.StatusCode}: {(error is null ? response.ReasonPhrase : Describe(error))}");
        }
    }

    private static string Describe(JsonNode error) => (error is JsonObject ? error["message"]?.ToString() : null) ?? error.ToJsonString();

    private static JsonNode? Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
