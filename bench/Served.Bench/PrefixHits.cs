using System.Diagnostics;
using System.Text;

namespace Serving.Served.Bench;

/// <summary>What a prompt costs whose beginning of a thousand tokens the platform has computed before: the time to the first token, asked cold and asked again with another end.</summary>
internal static class PrefixHits
{
    private const int Prompts = 7;

    /// <summary>Words of one token each in SmolLM2's vocabulary, with the space before them.</summary>
    private static readonly string[] Words = ["time", "house", "water", "light", "world", "story", "music", "river", "stone", "garden", "winter", "summer"];

    private const int WordCount = 1000;

    public static async Task RunAsync(FreshPlatform platform)
    {
        double[] cold = new double[Prompts], warm = new double[Prompts];
        for (int i = 0; i < Prompts; i++)
        {
            string beginning = Beginning(new Random(i));
            cold[i] = await FirstTokenMsAsync(platform, beginning + " What is this about?");
            warm[i] = await FirstTokenMsAsync(platform, beginning + " How does it end?");
            Console.WriteLine($"prompt {i + 1}: cold {cold[i]:F1} ms, with a known beginning {warm[i]:F1} ms");
        }

        Array.Sort(cold);
        Array.Sort(warm);
        double coldMedian = cold[Prompts / 2], warmMedian = warm[Prompts / 2];
        Console.WriteLine($"processor: {Report.Processor()}, {Environment.ProcessorCount} cores; medians of {Prompts} prompts of about {WordCount} tokens");
        Console.WriteLine($"TTFT cold {coldMedian:F1} ms, with a known beginning {warmMedian:F1} ms: {coldMedian / warmMedian:F1} times sooner");
    }

    private static async Task<double> FirstTokenMsAsync(FreshPlatform platform, string question)
    {
        Streamed streamed = await Round.StreamAsync(platform.Client, question, maxTokens: 2);
        return (streamed.TokenTimes[0] - streamed.Begin) * 1000.0 / Stopwatch.Frequency;
    }

    private static string Beginning(Random random)
    {
        StringBuilder text = new();
        for (int i = 0; i < WordCount; i++)
        {
            text.Append(' ').Append(Words[random.Next(Words.Length)]);
        }

        return text.ToString();
    }
}
