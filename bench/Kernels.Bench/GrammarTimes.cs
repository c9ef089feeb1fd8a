using System.Diagnostics;
using System.Text.Json;
using Serving.Engine.Formats;
using Serving.Engine.Sampling;
using Serving.Grammars;

namespace Serving.Kernels.Bench;

/// <summary>What a constraint costs: its compilation, its first answers, and a mask in the steady state.</summary>
internal static class GrammarTimes
{
    private const int Answers = 40;
    private const int AnswerTokensMax = 600;

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    /// <param name="model">Whose vocabulary is used.</param>
    /// <param name="schemas">A JSON array of schemas.</param>
    public static void Print(string model, string schemas)
    {
        using var source = ModelSource.Open(model);
        var tokenizer = source.ReadText().Tokenizer;
        var begin = Stopwatch.GetTimestamp();
        var vocabulary = TokenizerVocabulary.Of(tokenizer);
        Console.WriteLine($"vocabulary of {vocabulary.Size} tokens in {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms");
        int[] end = [.. tokenizer.EndOfGenerationIds];
        var list = JsonDocument.Parse(File.ReadAllBytes(schemas)).RootElement.EnumerateArray().ToArray();
        var large = Twice(list.MaxBy(Lines));
        Console.WriteLine($"{"",-28}{"lines",6}{"parse ms",10}{"masks ms",10}{"first p99",11}{"first max",11}{"mask µs",9}{"p99",7}{"token µs",10}{"B/token",9}");
        for (var round = 0; round < 3; round++)
        {
            Measure($"largest twice, round {round}", large, vocabulary, end);
        }

        var all = list.Select(schema => Measure("", schema, vocabulary, end)).ToArray();
        Console.WriteLine($"all {all.Length}: compile median {Median(all.Select(a => a.Compile)):F1} ms, worst {all.Max(a => a.Compile):F1}; steady mask median {Median(all.Select(a => a.Mask)):F2} µs, worst median {all.Max(a => a.Mask):F2} µs, worst p99 {all.Max(a => a.MaskP99):F1} µs; "
            + $"masks of a first answer: median of p99 {Median(all.Select(a => a.FirstP99)):F0} µs, worst {all.Max(a => a.FirstMax):F0} µs");
    }

    private static (double Compile, double Mask, double MaskP99, double FirstP99, double FirstMax) Measure(string name, JsonElement schema, TokenVocabulary vocabulary, int[] end)
    {
        var begin = Stopwatch.GetTimestamp();
        var compiled = new CompiledGrammar(Grammar.JsonSchema(schema), vocabulary);
        var parse = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        compiled.Prepare(TimeSpan.FromMilliseconds(150));
        var compile = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;

        var first = new List<double>();
        var steps = new List<double>();
        for (var seed = 0; seed < Answers; seed++)
        {
            Answer(compiled, end, seed, first, steps);
        }

        var masks = new List<double>();
        steps.Clear();
        var bytes = 0L;
        for (var seed = 0; seed < Answers; seed++)
        {
            bytes += Answer(compiled, end, seed, masks, steps);
        }

        var result = (compile, Median(masks), Quantile(masks, 0.99), Quantile(first, 0.99), first.Max());
        if (name.Length > 0)
        {
            Console.WriteLine($"{name,-28}{Lines(schema),6}{parse,10:F1}{compile - parse,10:F1}{result.Item4,11:F0}{result.Item5,11:F0}{result.Item2,9:F2}{result.Item3,7:F1}{Median(steps),10:F2}{bytes / (double)masks.Count,9:F0}");
        }

        return result;
    }

    /// <summary>One random answer; the same seed gives the same.</summary>
    /// <returns>Bytes that the matcher allocated.</returns>
    private static long Answer(CompiledGrammar grammar, int[] end, int seed, List<double> masks, List<double> steps)
    {
        var random = new Random(seed);
        var matcher = new GrammarMatcher(grammar, end);
        var mask = new ulong[matcher.MaskWords];
        var allowed = new List<int>(grammar.Vocabulary.Size);
        var allocated = 0L;
        while (!matcher.MustEnd && matcher.Count < AnswerTokensMax)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var begin = Stopwatch.GetTimestamp();
            matcher.Fill(mask);
            var filled = Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            masks.Add(filled);
            allowed.Clear();
            for (var word = 0; word < mask.Length; word++)
            {
                for (var bits = mask[word]; bits != 0; bits &= bits - 1)
                {
                    allowed.Add((word * 64) + System.Numerics.BitOperations.TrailingZeroCount(bits));
                }
            }

            allowed.RemoveAll(end.Contains);
            if (allowed.Count == 0 || (matcher.IsComplete && random.Next(2) == 0))
            {
                break;
            }

            var token = allowed[random.Next(allowed.Count)];
            before = GC.GetAllocatedBytesForCurrentThread();
            begin = Stopwatch.GetTimestamp();
            matcher.TryAdvance(token);
            steps.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return allocated;
    }

    /// <summary>An object of two values that a schema accepts.</summary>
    private static JsonElement Twice(JsonElement schema) => JsonDocument.Parse(
        $$"""{"type":"object","properties":{"first":{{schema.GetRawText()}},"second":{{schema.GetRawText()}}},"required":["first","second"]}""").RootElement;

    private static int Lines(JsonElement schema) => JsonSerializer.Serialize(schema, _indented).Count(character => character == '\n') + 1;

    private static double Median(IEnumerable<double> values) => Quantile([.. values], 0.5);

    private static double Quantile(List<double> values, double quantile)
    {
        values.Sort();
        return values[(int)(quantile * (values.Count - 1))];
    }
}
