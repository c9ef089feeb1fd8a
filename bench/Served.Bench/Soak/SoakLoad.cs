using System.Net.Http.Json;
using System.Text.Json;
using Serving.Cli.Bench.Serve;

namespace Serving.Served.Bench.Soak;

/// <summary>Sends the trace's requests when they arrive, over and over; those beyond what may be under way at once wait, so that the platform is never idle and the backlog stays bounded.</summary>
internal sealed class SoakLoad(HttpClient client) : IDisposable
{
    private const int UnderWayMax = 96;

    // What the trace's models answered with a context of 8K and more is asked of a small model with a quarter of the tokens, so that a machine of few cores sees as many requests.
    private const int LengthDivisor = 4;

    private static readonly string[] Words =
        ["time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state", "family", "student", "group", "country", "problem", "hand", "part"];

    private readonly SemaphoreSlim _places = new(UnderWayMax);
    private long _answered;
    private long _failed;
    private long _tokens;

    public long Answered => Interlocked.Read(ref _answered);

    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Prompt and answer tokens.</summary>
    public long Tokens => Interlocked.Read(ref _tokens);

    /// <summary>Asks for prompts of so many tokens together, no two alike, so that KV pools of that size have been written once.</summary>
    public async Task FillAsync(long tokens)
    {
        const int PromptTokens = 4000;
        var random = new Random(2);
        for (long filled = 0; filled < tokens; filled += PromptTokens)
        {
            await _places.WaitAsync();
            await SendAsync(Prompt(PromptTokens, random), answerTokens: 1);
        }
    }

    /// <summary>Runs until it is told to stop, and then until every request has ended.</summary>
    public async Task RunAsync(IReadOnlyList<TraceRequest> trace, CancellationToken stop)
    {
        var random = new Random(1);
        TimeSpan laps = TimeSpan.Zero;
        long begin = TimeProvider.System.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            foreach (TraceRequest request in trace)
            {
                TimeSpan early = laps + TimeSpan.FromSeconds(request.ArrivalSeconds) - TimeProvider.System.GetElapsedTime(begin);
                if (early > TimeSpan.Zero)
                {
                    await Task.Delay(early, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                if (stop.IsCancellationRequested)
                {
                    break;
                }

                await _places.WaitAsync(CancellationToken.None);
                _ = SendAsync(Prompt(Scale(request.InputTokens), random), Scale(request.OutputTokens));
            }

            laps += TimeSpan.FromSeconds(trace[^1].ArrivalSeconds);
        }

        for (int place = 0; place < UnderWayMax; place++)
        {
            await _places.WaitAsync(CancellationToken.None);
        }
    }

    public void Dispose() => _places.Dispose();

    /// <summary>Words of one token each, in no order, so that no prompt begins like another.</summary>
    private static string Prompt(int tokens, Random random) => string.Join(' ', Enumerable.Range(0, tokens).Select(_ => Words[random.Next(Words.Length)]));

    private static int Scale(int tokens) => Math.Max(1, tokens / LengthDivisor);

    private async Task SendAsync(string prompt, int answerTokens)
    {
        try
        {
            using HttpResponseMessage response = await client.PostAsJsonAsync("/v1/chat/completions", new
            {
                model = "smollm2-135m-instruct",
                max_tokens = answerTokens,
                temperature = 0.8,
                messages = new[] { new { role = "user", content = prompt } },
            });
            response.EnsureSuccessStatusCode();
            using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            Interlocked.Increment(ref _answered);
            Interlocked.Add(ref _tokens, answer.RootElement.GetProperty("usage").GetProperty("total_tokens").GetInt64());
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            Interlocked.Increment(ref _failed);
        }
        finally
        {
            _places.Release();
        }
    }
}
