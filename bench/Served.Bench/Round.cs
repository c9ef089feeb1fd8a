using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace Serving.Served.Bench;

/// <summary>The requests of one round.</summary>
internal static class Round
{
    private const int AnswerTokens = 128;
    private static readonly string[] Subjects =
        ["France", "Japan", "Brazil", "Kenya", "Norway", "India", "Canada", "Egypt", "Chile", "Poland", "Greece", "Turkey", "Mexico", "Vietnam", "Ireland", "Iceland", "Jordan", "Nepal", "Ghana"];

    public static async Task<RoundResult> RunAsync(FreshPlatform platform)
    {
        double[] firstTokens = new double[10];
        for (int i = 0; i < firstTokens.Length; i++)
        {
            Streamed streamed = await StreamAsync(platform.Client, $"What is the capital of {Subjects[i]}?", 4);
            firstTokens[i] = (streamed.TokenTimes[0] - streamed.Begin) * 1000.0 / Stopwatch.Frequency;
        }

        Streamed one = await StreamAsync(platform.Client, Essay(10), AnswerTokens);
        Streamed[] eight = await Task.WhenAll(Enumerable.Range(11, 8).Select(i => StreamAsync(platform.Client, Essay(i), AnswerTokens)));
        return new RoundResult(platform.ReadySeconds, firstTokens, Rate([one]), Rate(eight));
    }

    private static string Essay(int subject) => $"Write a long essay about the history of {Subjects[subject]}.";

    /// <summary>Tokens of all streams between the moment the last has begun and the moment the first has ended, over that time.</summary>
    private static double Rate(Streamed[] streams)
    {
        long begin = streams.Max(stream => stream.TokenTimes[0]);
        long end = streams.Min(stream => stream.TokenTimes[^1]);
        int tokens = streams.Sum(stream => stream.TokenTimes.Count(time => time > begin && time <= end));
        return tokens / ((end - begin) / (double)Stopwatch.Frequency);
    }

    public static async Task<Streamed> StreamAsync(HttpClient client, string question, int maxTokens)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = "smollm2-135m-instruct",
                temperature = 0,
                max_tokens = maxTokens,
                stream = true,
                messages = new[] { new { role = "user", content = question } },
            }),
        };
        long begin = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync());
        List<long> times = [];
        while (await reader.ReadLineAsync() is { } line)
        {
            if (HasText(line))
            {
                times.Add(Stopwatch.GetTimestamp());
            }
        }

        return new Streamed(begin, times);
    }

    /// <summary>One chunk with text is one token, but for tokens that end inside a character: rare in English.</summary>
    private static bool HasText(string line)
    {
        if (!line.StartsWith("data: {", StringComparison.Ordinal))
        {
            return false;
        }

        JsonElement choices = JsonDocument.Parse(line["data: ".Length..]).RootElement.GetProperty("choices");
        return choices.GetArrayLength() > 0
            && choices[0].GetProperty("delta").TryGetProperty("content", out JsonElement content)
            && content.GetString() is { Length: > 0 };
    }
}
