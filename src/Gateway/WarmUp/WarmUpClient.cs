using System.Globalization;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Serving.Contracts.Internal;
using Serving.Gateway.Configuration;
using Serving.Gateway.Security;

namespace Serving.Gateway.WarmUp;

/// <summary>Sends warm-up requests to the gateway's own port, as any client would but for the token that pins them to a pair of workers.</summary>
internal sealed class WarmUpClient(IServer server, WarmUpToken token, TimeProvider time, IOptions<GatewayOptions> options) : IDisposable
{
    private const int AnswerTokens = 8;
    private const string ShortPrompt = "What is the capital of France?";

    /// <summary>A word is a token or two; a fraction of the context leaves room for either.</summary>
    private const int LongPromptWordsMax = 32;

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(2) };

    /// <summary>One request of each shape; the time to the first token of the short streamed one.</summary>
    /// <exception cref="HttpRequestException">A request failed.</exception>
    public async Task<TimeSpan> RunRoundAsync(WarmUpPair pair, CancellationToken cancellationToken)
    {
        var words = Math.Min(LongPromptWordsMax, pair.Model.ContextLength / 8);
        var longPrompt = string.Join(' ', Enumerable.Range(0, words).Select(word => word.ToString(CultureInfo.InvariantCulture)));
        await SendAsync(pair, ShortPrompt, stream: false, cancellationToken);
        await SendAsync(pair, longPrompt, stream: true, cancellationToken);
        return await SendAsync(pair, ShortPrompt, stream: true, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<TimeSpan> SendAsync(WarmUpPair pair, string prompt, bool stream, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Self(), "/v1/chat/completions"))
        {
            Content = new StringContent(Body(pair.Model.Name, prompt, stream), Encoding.UTF8, MediaTypeNames.Application.Json),
        };
        request.Headers.Add(WarmUpToken.Header, token.Value);
        request.Headers.Add(ServingHeaders.DecodeWorker, pair.DecodeWorkerId);
        request.Headers.Add(ServingHeaders.PrefillWorker, pair.PrefillWorkerId);
        var began = time.GetTimestamp();
        try
        {
            // The answer's head comes with its first token.
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var timeToFirstToken = time.GetElapsedTime(began);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.IsSuccessStatusCode ? timeToFirstToken : throw new HttpRequestException($"{(int)response.StatusCode}: {body}");
        }
        catch (TaskCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer within {_http.Timeout.TotalSeconds} s", exception);
        }
    }

    private static string Body(string model, string prompt, bool stream)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteStartArray("messages");
            json.WriteStartObject();
            json.WriteString("role", "user");
            json.WriteString("content", prompt);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteNumber("max_tokens", AnswerTokens);
            json.WriteNumber("temperature", 0);
            json.WriteBoolean("stream", stream);

            // A prompt found in the prefix cache would leave the way over both workers cold.
            json.WriteString("cache_salt", Guid.NewGuid().ToString());
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(memory.ToArray());
    }

    private Uri Self()
    {
        var bound = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        return ListenAddress.Parse(options.Value.Listen)!.Self(new Uri(bound).Port);
    }
}
