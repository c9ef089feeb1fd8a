using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.TestKit;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>
/// Real models under the scheduler: whatever a request shares its steps with, whatever it finds in the prefix cache and however often it loses its
/// blocks, it gets the tokens that it gets alone.
/// </summary>
public sealed class RandomMixTests : IDisposable
{
    private const int Mixes = 200;
    private const int RequestsOfMix = 6;
    private const int StepRowsMax = 64;
    private const int KvTokens = 1024;

    private readonly ComputePool _pool = new(2);

    [Theory]
    [InlineData("gguf/llama-f32.gguf", ComputeClass.Fp32, 16, 50)]
    [InlineData("gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast, 16, 50)]
    [InlineData("models/gemma3", ComputeClass.Fast, 4, 20)]
    [InlineData("models/gpt-oss", ComputeClass.Fp32, 4, 50)]
    [InlineData("models/mistral-sliding", ComputeClass.Fast, 4, 0)] // All layers slide: whoever is admitted never needs more.
    public void Each_request_gets_the_tokens_it_gets_alone(string model, ComputeClass computeClass, int blockSize, int preemptionsMin)
    {
        using CpuModelExecutor executor = Load(model, computeClass, blockSize);
        Request[] requests = [.. Enumerable.Range(0, 40).Select(i => Request.Make(new Random(i), executor.Model.VocabularySize))];
        int[][] alone = [.. requests.Select(request => RunAlone(executor, request))];
        var (preemptions, cachedTokens, sampled) = (0L, 0L, 0L);
        for (int mix = 0; mix < Mixes; mix++)
        {
            var random = new Random(mix);
            int[] chosen = [.. Enumerable.Range(0, RequestsOfMix).Select(_ => random.Next(requests.Length))];
            SchedulerDriver driver = DriverOf(executor, chosen.Max(i => Blocks(executor, requests[i])), chosen.Sum(i => Blocks(executor, requests[i])), random);
            (Sequence[] sequences, Sequence[] forks) = Run(driver, [.. chosen.Select(i => requests[i])], random);
            for (int i = 0; i < chosen.Length; i++)
            {
                int[] answer = sequences[i].Tokens.ToArray()[sequences[i].PromptLength..];
                Assert.True(alone[chosen[i]].SequenceEqual(answer), $"Mix {mix}: request {chosen[i]} got [{string.Join(' ', answer)}], but alone [{string.Join(' ', alone[chosen[i]])}].");
                sampled += answer.Length;
            }

            Assert.All(forks, fork => Assert.Equal(fork.Parent!.Tokens.ToArray(), fork.Tokens.ToArray()));

            preemptions += driver.Scheduler.PreemptionCount;
            cachedTokens += sequences.Sum(sequence => sequence.CachedTokens);
        }

        Assert.True(preemptions >= preemptionsMin, $"Only {preemptions} preemptions.");
        Assert.True(cachedTokens > 10 * Mixes, $"Only {cachedTokens} cached tokens.");
        Assert.True(sampled > 50 * Mixes, $"Only {sampled} answer tokens.");
    }

    /// <summary>The expected tokens come from steps by hand on blocks that nobody ever takes back.</summary>
    [Theory]
    [InlineData("models/gemma3", ComputeClass.Fast, 4)]
    [InlineData("models/gpt-oss", ComputeClass.Fast, 16)]
    [InlineData("models/mistral-sliding", ComputeClass.Fp32, 16)]
    public void Giving_back_what_windows_have_passed_changes_no_token(string model, ComputeClass computeClass, int blockSize)
    {
        const int AnswerTokens = 60;
        using CpuModelExecutor executor = Load(model, computeClass, blockSize);
        int[][] prompts = [.. Enumerable.Range(0, 3).Select(i => Request.Make(new Random(i), executor.Model.VocabularySize).Prompt)];
        int[][] expected = [.. prompts.Select(prompt => Greedy(executor, prompt, AnswerTokens))];

        var driver = new SchedulerDriver(executor, executor.KvBlockCount, new SchedulerOptions { BatchTokensMax = 16, RunningSequencesMax = 3 });
        Sequence[] sequences = [.. prompts.Select(prompt => driver.Add(prompt, answerTokens: AnswerTokens))];
        driver.RunToEnd();

        Assert.True(executor.KvLayout.Groups.HasWindows);
        Assert.Equal(expected, sequences.Select(sequence => sequence.Tokens[sequence.PromptLength..].ToArray()));
    }

    [Fact]
    public void A_steady_state_of_decode_steps_allocates_nothing()
    {
        using CpuModelExecutor executor = Load("gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast, blockSize: 16);
        var driver = new SchedulerDriver(executor, executor.KvBlockCount, new SchedulerOptions { BatchTokensMax = StepRowsMax, RunningSequencesMax = 8 });
        for (int i = 0; i < 4; i++)
        {
            driver.Add([1, 2, 3, i], answerTokens: 200, sampling: Request.SamplingOf(i));
        }

        driver.StepQuietly(50);

        Assert.Equal(0, SteadyState.AllocatedBytes(() => driver.StepQuietly(12)));
        driver.RunToEnd();
        driver.AssertEmpty();
    }

    public void Dispose() => _pool.Dispose();

    private static int[] Greedy(CpuModelExecutor executor, int[] prompt, int answerTokens)
    {
        var driver = new StepDriver(executor);
        TestSequence sequence = driver.NewSequence(prompt.Length + answerTokens);
        int[] rows = prompt;
        var answer = new List<int>();
        while (answer.Count < answerTokens)
        {
            answer.Add(StepDriver.ArgMax(driver.Step(new TestRows(sequence, rows))[0]));
            rows = [answer[^1]];
        }

        return [.. answer];
    }

    private static int[] RunAlone(CpuModelExecutor executor, Request request)
    {
        var driver = new SchedulerDriver(executor, executor.KvBlockCount, new SchedulerOptions { BatchTokensMax = StepRowsMax, RunningSequencesMax = 1 });
        Sequence sequence = driver.Add(request.Prompt, answerTokens: request.AnswerTokens, sampling: request.Sampling, salt: null);
        driver.RunToEnd();
        driver.AssertEmpty();
        return sequence.Tokens.ToArray()[request.Prompt.Length..];
    }

    /// <summary>A scheduler with half the blocks that its requests need together, but enough for each alone.</summary>
    private static SchedulerDriver DriverOf(CpuModelExecutor executor, int blocksOfLongest, int blocksOfAll, Random random)
    {
        int groups = executor.KvLayout.Groups.Count;
        int running = random.Next(3, 8);
        var options = new SchedulerOptions { BatchTokensMax = random.Next(running, StepRowsMax + 1), RunningSequencesMax = running, DraftsMax = random.Next(5) };

        // Sequences whose windows give blocks back need fewer.
        int blocks = executor.KvLayout.Groups.HasWindows ? blocksOfLongest : Math.Max(blocksOfLongest, blocksOfAll / 2);
        return new SchedulerDriver(executor, groups * blocks, options);
    }

    private static (Sequence[] Sequences, Sequence[] Forks) Run(SchedulerDriver driver, Request[] requests, Random random)
    {
        var sequences = new List<Sequence>();
        var forks = new List<Sequence>();
        while (sequences.Count < requests.Length)
        {
            Request request = requests[sequences.Count];
            string? salt = random.Next(6) == 0 ? null : "";
            Sequence sequence = driver.Add(
                request.Prompt, answerTokens: request.AnswerTokens, sampling: request.Sampling, salt: salt, tenant: $"{random.Next(3)}",
                priority: (SequencePriority)random.Next(-1, 2));
            sequences.Add(sequence);
            if (random.Next(3) == 0)
            {
                forks.Add(driver.Add(
                    request.Prompt, answerTokens: request.AnswerTokens, sampling: request.Sampling, salt: salt, tenant: sequence.Tenant, priority: sequence.Priority,
                    forkOf: sequence));
            }

            for (int steps = random.Next(4); steps > 0; steps--)
            {
                driver.Step();
            }
        }

        driver.RunToEnd();
        driver.AssertEmpty();
        return ([.. sequences], [.. forks]);
    }

    private static int Blocks(CpuModelExecutor executor, Request request) => executor.KvLayout.BlocksFor(request.Prompt.Length + request.AnswerTokens);

    private CpuModelExecutor Load(string model, ComputeClass computeClass, int blockSize) => ModelLoader.Load(
        GoldenFixtures.Path(model),
        new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = KvTokens / blockSize, BlockSize = blockSize, StepRowsMax = StepRowsMax },
        _pool);

    private sealed record Request(int[] Prompt, int AnswerTokens, SamplingParameters Sampling)
    {
        public static Request Make(Random random, int vocabulary)
        {
            // Three beginnings of up to three blocks, so that many prompts share one.
            var beginning = new Random(random.Next(3));
            int[] prompt = [.. Tokens(beginning, random.Next(50), vocabulary), .. Tokens(random, random.Next(1, 20), vocabulary)];
            return new Request(prompt, random.Next(20, 90), SamplingOf(random.Next(100)));
        }

        public static SamplingParameters SamplingOf(int seed) =>
            seed % 2 == 0 ? SamplingParameters.Greedy : new SamplingParameters { Temperature = 0.9f, TopP = 0.9f, Seed = seed };

        private static int[] Tokens(Random random, int count, int vocabulary) => [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }
}
