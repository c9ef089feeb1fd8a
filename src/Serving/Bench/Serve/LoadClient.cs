using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.Cli.Bench.Serve;

/// <summary>Sends chat requests, reads their answers as server-sent events and notes when each piece comes.</summary>
internal sealed class LoadClient : IDisposable
{
    private const string DataPrefix = "data: ";

    private static readonly Uri Completions = new("v1/chat/completions", UriKind.Relative);

    private readonly HttpClient _http;
    private readonly LoadTarget _target;
    private readonly long _zero = Stopwatch.GetTimestamp();

    public LoadClient(LoadTarget target, HttpMessageHandler? handler = null)
    {
        _target = target;
        _http = new HttpClient(handler ?? new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), UseCookies = false })
        {
            BaseAddress = new Uri(target.Url.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (target.ApiKey is { } key)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    /// <summary>Seconds since this client began: the clock of all outcomes.</summary>
    public double Now => Stopwatch.GetElapsedTime(_zero).TotalSeconds;

    /// <summary>Sends a request and reads its answer. What goes wrong is in the outcome.</summary>
    /// <exception cref="OperationCanceledException">Because <paramref name="stop"/> was cancelled.</exception>
    public async Task<RequestOutcome> SendAsync(string prompt, int answerTokens, CancellationToken stop)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(_target.Timeout);
        var answer = new Answer();
        var begin = Now;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Completions) { Content = new StringContent(Body(prompt, answerTokens), Encoding.UTF8, "application/json") };
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            if (response.IsSuccessStatusCode)
            {
                await ReadAsync(response, answer, timeout.Token);
            }
            else
            {
                answer.Error = $"status {(int)response.StatusCode}";
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            answer.Error = "timeout";
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            answer.Error = answer.Times.Count == 0 ? "connection" : "broken off";
        }

        return new RequestOutcome(begin, answer.Times, Now, answer.PromptTokens, answer.AnswerTokens, answer.Error);
    }

    public void Dispose() => _http.Dispose();

    private string Body(string prompt, int answerTokens)
    {
        var body = new JsonObject
        {
            ["model"] = _target.Model,
            ["temperature"] = 0,
            ["max_tokens"] = answerTokens,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = prompt }),
        };
        if (_target.IgnoreEnd)
        {
            body["ignore_eos"] = true;
        }

        return body.ToJsonString();
    }

    private async Task ReadAsync(HttpResponseMessage response, Answer answer, CancellationToken cancellation)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (!line.StartsWith(DataPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            if (line.EndsWith("[DONE]", StringComparison.Ordinal))
            {
                return;
            }

            answer.Take(line.AsMemory(DataPrefix.Length), Now);
        }

        // An answer that is whole says so.
        answer.Error ??= "broken off";
    }

    private sealed class Answer
    {
        public List<double> Times { get; } = [];

        public int PromptTokens { get; private set; }

        public int AnswerTokens { get; private set; }

        public string? Error { get; set; }

        public void Take(ReadOnlyMemory<char> data, double now)
        {
            try
            {
                using var json = JsonDocument.Parse(data);
                var root = json.RootElement;
                if (root.TryGetProperty("error", out _))
                {
                    Error = "error event";
                }
                else if (root.TryGetProperty("choices", out var choices) && choices.GetArrayLength() > 0
                    && choices[0].TryGetProperty("delta", out var delta) && (HasText(delta, "content") || HasText(delta, "reasoning_content")))
                {
                    Times.Add(now);
                }

                if (root.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
                {
                    PromptTokens = usage.GetProperty("prompt_tokens").GetInt32();
                    AnswerTokens = usage.GetProperty("completion_tokens").GetInt32();
                }
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
            {
                Error = "malformed event";
            }
        }

        private static bool HasText(JsonElement delta, string name) =>
            delta.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String && !text.ValueEquals("");
    }
}

/// <summary>Whom a load is sent to.</summary>
/// <param name="Url">The API's address without <c>/v1</c>.</param>
/// <param name="IgnoreEnd">Whether answers are asked to go on to their full length (<c>ignore_eos</c>, which not every server knows).</param>
/// <param name="Timeout">After which a request is given up.</param>
internal sealed record LoadTarget(Uri Url, string Model, string? ApiKey, bool IgnoreEnd, TimeSpan Timeout);
