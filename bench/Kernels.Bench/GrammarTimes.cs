using System.Diagnostics;
using System.Text.Json;
using Serving.Engine.Formats;
using Serving.Engine.Sampling;
using Serving.Grammars;

namespace Serving.Kernels.Bench;

/// <summary>
/// What a constraint costs: its compilation, the masks of places that no answer has come to (on the engine's thread, and elsewhere where they take long), and a mask in
/// the steady state.
/// </summary>
internal static class GrammarTimes
{
    private const int Answers = 40;
    private const int AnswerTokensMax = 600;
    private const int LargeLines = 200;

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    /// <param name="model">Whose vocabulary is used.</param>
    /// <param name="schemas">A JSON array of schemas.</param>
    /// <param name="isWarm">Whether what a worker computes when it starts is computed first.</param>
    public static void Print(string model, string schemas, bool isWarm)
    {
        using var source = ModelSource.Open(model);
        var tokenizer = source.ReadText().Tokenizer;
        var begin = Stopwatch.GetTimestamp();
        var vocabulary = TokenizerVocabulary.Of(tokenizer);
        Console.WriteLine($"vocabulary of {vocabulary.Size} tokens in {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms");
        if (isWarm)
        {
            begin = Stopwatch.GetTimestamp();
            GrammarWarmUp.Run(vocabulary, TimeSpan.FromMilliseconds(500));
            Console.WriteLine($"warm-up in {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F0} ms");
        }

        int[] end = [.. tokenizer.EndOfGenerationIds];
        var list = JsonDocument.Parse(File.ReadAllBytes(schemas)).RootElement.EnumerateArray().ToArray();
        var largest = list.MaxBy(Lines);
        var large = list.Select(schema => Both(largest, schema)).Where(schema => Lines(schema) >= LargeLines).MinBy(Lines);
        Console.WriteLine($"{"",-10}{"lines",6}{"compile ms",12}{"ahead ms",10}{"first: here µs p50",20}{"p99",6}{"max",6}{"elsewhere",11}{"ms max",8}{"mask µs",9}{"p99",6}{"token µs",10}{"B/token",9}");
        for (var round = 0; round < 3; round++)
        {
            Measure($"round {round}", large, vocabulary, end);
        }

        var all = list.Select(schema => Measure("", schema, vocabulary, end)).ToArray();
        Console.WriteLine($"all {all.Length}: compile median {Median(all.Select(a => a.Compile)):F1} ms, worst {all.Max(a => a.Compile):F1}; steady mask median {Median(all.Select(a => a.Mask)):F2} µs, worst median {all.Max(a => a.Mask):F2} µs, worst p99 {all.Max(a => a.MaskP99):F1} µs; "
            + $"first masks here: median of p99 {Median(all.Select(a => a.HereP99)):F0} µs, worst {all.Max(a => a.HereMax):F0} µs; elsewhere: {all.Sum(a => a.Elsewhere)}, worst {all.Max(a => a.ElsewhereMax) / 1000:F1} ms");
    }

    private static Costs Measure(string name, JsonElement schema, TokenVocabulary vocabulary, int[] end)
    {
        var begin = Stopwatch.GetTimestamp();
        var compiled = new CompiledGrammar(Grammar.JsonSchema(schema), vocabulary);
        var compile = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        begin = Stopwatch.GetTimestamp();
        compiled.Prepare(TimeSpan.FromMilliseconds(60));
        var ahead = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;

        var first = new Times();
        for (var seed = 0; seed < Answers; seed++)
        {
            Answer(compiled, end, seed, first);
        }

        var steady = new Times();
        var bytes = 0L;
        for (var seed = 0; seed < Answers; seed++)
        {
            bytes += Answer(compiled, end, seed, steady);
        }

        var costs = new Costs(
            compile, Median(steady.Here), Quantile(steady.Here, 0.99), Quantile(first.Here, 0.99), first.Here.Max(), first.Elsewhere.Count, first.Elsewhere.DefaultIfEmpty(0).Max());
        if (name.Length > 0)
        {
            Console.WriteLine($"{name,-10}{Lines(schema),6}{compile,12:F1}{ahead,10:F1}{Median(first.Here),20:F1}{costs.HereP99,6:F0}{costs.HereMax,6:F0}{costs.Elsewhere,11}{costs.ElsewhereMax / 1000,8:F1}"
                + $"{costs.Mask,9:F2}{costs.MaskP99,6:F1}{Median(steady.Token),10:F2}{bytes / (double)steady.Here.Count,9:F0}");
        }

        return costs;
    }

    /// <summary>One random answer; the same seed gives the same.</summary>
    /// <returns>Bytes that the engine's thread would allocate.</returns>
    private static long Answer(CompiledGrammar grammar, int[] end, int seed, Times times)
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
            var isReady = matcher.TryPrepare();
            var here = Stopwatch.GetElapsedTime(begin);
            if (!isReady)
            {
                var pending = matcher.MasksToCome();
                begin = Stopwatch.GetTimestamp();
                while (!pending.ComputeNext())
                {
                }

                times.Elsewhere.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
            }

            begin = Stopwatch.GetTimestamp();
            matcher.Fill(mask);
            here += Stopwatch.GetElapsedTime(begin);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            times.Here.Add(here.TotalMicroseconds);
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
            var taken = Stopwatch.GetElapsedTime(begin);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            times.Token.Add(taken.TotalMicroseconds);
        }

        return allocated;
    }

    /// <summary>An object of two values, one for each schema.</summary>
    private static JsonElement Both(JsonElement one, JsonElement other) => JsonDocument.Parse(
        $$"""{"type":"object","properties":{"first":{{one.GetRawText()}},"second":{{other.GetRawText()}}},"required":["first","second"]}""").RootElement;

    private static int Lines(JsonElement schema) => JsonSerializer.Serialize(schema, _indented).Count(character => character == '\n') + 1;

    private static double Median(IEnumerable<double> values) => Quantile([.. values], 0.5);

    private static double Quantile(List<double> values, double quantile)
    {
        values.Sort();
        return values[(int)(quantile * (values.Count - 1))];
    }

    /// <param name="Compile">Milliseconds; all others are microseconds.</param>
    private sealed record Costs(double Compile, double Mask, double MaskP99, double HereP99, double HereMax, int Elsewhere, double ElsewhereMax);

    /// <summary>In microseconds, one a token.</summary>
    private sealed class Times
    {
        /// <summary>The engine's thread, for a mask.</summary>
        public List<double> Here { get; } = [];

        /// <summary>Other threads, for masks that take long.</summary>
        public List<double> Elsewhere { get; } = [];

        /// <summary>The engine's thread, to take a token.</summary>
        public List<double> Token { get; } = [];
    }
}
