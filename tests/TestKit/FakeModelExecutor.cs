using System.Buffers.Binary;
using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Grammars;

namespace Serving.TestKit;

/// <summary>
/// A model with known logits: every row writes bytes made from its token, its position and the slot before it into its KV slot, and logits are
/// a hash of all the slots that the row sees, up to its own, read back through the block tables. So a wrong block table, a chunk left out, a block of another
/// prefix or a KV cache that was not imported gives other tokens than <see cref="Expect"/>, which never sees a block.
/// </summary>
public sealed class FakeModelExecutor : IModelExecutor
{
    private const ulong HashSeed = 0xCBF29CE484222325;
    private const int Width = 4;
    private readonly byte[][] _layers;

    /// <param name="windows">How many tokens each of the two layers sees: 0, the default, all, else at least 2.</param>
    public FakeModelExecutor(
        int kvBlockCount = 64, int blockSize = 4, int contextLength = 64, int vocabularySize = 32, int stepRowsMax = 512,
        string kvFingerprint = "fake-kv", int[]? windows = null)
    {
        KvLayout = new KvCacheLayout(Layers: 2, KvHeads: 2, KeyDim: 2, ValueDim: 2, BlockSize: blockSize, KvDataType.Float32)
        {
            Groups = KvGroups.Of(windows ?? [0, 0]),
        };
        Model = new ModelDescription("fake", "fake", KvLayout.Layers, vocabularySize, contextLength, kvFingerprint, "fake", Width);
        KvBlockCount = kvBlockCount;
        StepRowsMax = stepRowsMax;
        _layers = new byte[KvLayout.Layers][];
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            _layers[layer] = new byte[kvBlockCount * KvLayout.BytesPerLayerBlock];
        }
    }

    public ModelDescription Model { get; }

    public KvCacheLayout KvLayout { get; }

    public int KvBlockCount { get; }

    public int StepRowsMax { get; }

    /// <summary>Steps run so far.</summary>
    public int Steps { get; private set; }

    /// <summary>Called on the engine's thread at the start of each step: to look at the plan, to wait, or to throw.</summary>
    public Action<StepPlan>? OnStep { get; set; }

    /// <summary>Overwrites the logits of a step, to break them.</summary>
    public Action<StepPlan>? OnLogits { get; set; }

    public void Execute(StepPlan plan)
    {
        Steps++;
        OnStep?.Invoke(plan);
        var logitRow = 0;
        foreach (ref readonly var sequence in plan.Sequences)
        {
            for (var i = 0; i < sequence.RowCount; i++)
            {
                WriteSlots(in sequence, plan.TokenIds[sequence.RowStart + i], sequence.ComputedTokens + i);
            }

            SumHidden(in sequence);
            while (logitRow < plan.LogitRowCount && plan.LogitRows[logitRow] < sequence.RowStart + sequence.RowCount)
            {
                var state = Read(in sequence, sequence.ComputedTokens + plan.LogitRows[logitRow] - sequence.RowStart + 1);
                WriteLogits(state, plan.Logits.Slice(logitRow * plan.VocabularySize, plan.VocabularySize));
                logitRow++;
            }
        }

        OnLogits?.Invoke(plan);
    }

    public void ExportBlock(int layer, BlockId block, int slots, Span<byte> destination)
    {
        var runBytes = slots * HeadBytes;
        for (var run = 0; run < 2 * KvLayout.KvHeads; run++)
        {
            Run(layer, block, run)[..runBytes].CopyTo(destination[(run * runBytes)..]);
        }
    }

    public void ImportBlock(int layer, BlockId block, int slots, ReadOnlySpan<byte> source)
    {
        var runBytes = slots * HeadBytes;
        for (var run = 0; run < 2 * KvLayout.KvHeads; run++)
        {
            source.Slice(run * runBytes, runBytes).CopyTo(Run(layer, block, run));
        }
    }

    public void CopyBlock(BlockId from, BlockId to)
    {
        for (var layer = 0; layer < KvLayout.Layers; layer++)
        {
            for (var run = 0; run < 2 * KvLayout.KvHeads; run++)
            {
                Run(layer, from, run).CopyTo(Run(layer, to, run));
            }
        }
    }

    /// <summary>The tokens that a sequence gets when it is alone. Any thread may ask.</summary>
    public IReadOnlyList<int> Expect(ReadOnlySpan<int> prompt, int answerTokens, SamplingParameters sampling, params int[] endTokens) =>
        Expect(prompt, answerTokens, sampling, constraint: null, endTokens);

    /// <summary>The same where the answer is held to a grammar.</summary>
    /// <param name="constraint">At its beginning; null: to nothing.</param>
    public IReadOnlyList<int> Expect(
        ReadOnlySpan<int> prompt, int answerTokens, SamplingParameters sampling, GrammarMatcher? constraint, params int[] endTokens)
    {
        var tokens = new List<int>(prompt.ToArray());
        var answer = new List<int>();
        var sampler = new Sampler(Model.VocabularySize);
        var logits = new float[Model.VocabularySize];
        var bytes = new byte[KvLayout.BytesPerTokenPerLayer];
        while (answer.Count < answerTokens)
        {
            var state = HashSeed;
            for (var layer = 0; layer < KvLayout.Layers; layer++)
            {
                Array.Clear(bytes);
                for (var position = 0; position < tokens.Count; position++)
                {
                    FillToken(layer, tokens[position], position, FirstWord(bytes), bytes);
                    state = position >= FirstSeen(layer, tokens.Count) ? Fold(state, bytes) : state;
                }
            }

            WriteLogits(state, logits);
            var input = new SamplingInput
            {
                Logits = logits,
                Parameters = sampling,
                Tokens = tokens.ToArray(),
                PromptLength = prompt.Length,
                EndTokens = endTokens,
                Constraint = constraint,
            };
            if (!sampler.TrySample(input, out var token))
            {
                throw new InvalidOperationException("The fake model's own logits are broken.");
            }

            tokens.Add(token);
            answer.Add(token);
            constraint?.TryAdvance(token);
            if (endTokens.Contains(token) || constraint?.MustEnd == true)
            {
                break;
            }
        }

        return answer;
    }

    /// <summary>The sum of a prompt's hidden states when it is alone. Any thread may ask.</summary>
    public float[] ExpectHiddenSum(ReadOnlySpan<int> prompt)
    {
        var alone = new FakeModelExecutor(KvBlockCount, KvLayout.BlockSize, Model.ContextLength, Model.VocabularySize, StepRowsMax);
        var plan = new StepPlan(StepRowsMax, sequencesMax: 1, Model.VocabularySize);
        var sum = new float[Width];
        var blocks = Enumerable.Range(0, KvLayout.BlocksFor(prompt.Length)).Select(block => new BlockId(block)).ToArray();
        plan.Add(prompt, 0, blocks, logitRows: 0, sum);
        alone.Execute(plan);
        return sum;
    }

    public void Dispose()
    {
    }

    private int HeadBytes => KvLayout.KeyDim * KvLayout.ElementBytes;

    /// <summary>The slots of one head's K or V in one layer of a block: <c>[K|V][kv head]</c> is numbered through.</summary>
    private Span<byte> Run(int layer, BlockId block, int run)
    {
        var bytes = KvLayout.BlockSize * HeadBytes;
        return _layers[layer].AsSpan((block.Value * KvLayout.BytesPerLayerBlock) + (run * bytes), bytes);
    }

    /// <summary>The first position that the last of so many tokens sees.</summary>
    private int FirstSeen(int layer, int tokens) => KvLayout.Groups.FirstSeen(KvLayout.Groups.GroupOf(layer), tokens - 1);

    private ReadOnlySpan<BlockId> BlocksOf(in StepSequence sequence, int layer) =>
        sequence.BlocksOf(KvLayout.Groups.GroupOf(layer), KvLayout.Groups.Count);

    private void WriteSlots(in StepSequence sequence, int token, int position)
    {
        Span<byte> bytes = stackalloc byte[KvLayout.BytesPerTokenPerLayer];
        var slot = position % KvLayout.BlockSize;
        for (var layer = 0; layer < KvLayout.Layers; layer++)
        {
            var blocks = BlocksOf(in sequence, layer);
            var block = blocks[position / KvLayout.BlockSize];
            var before = position == 0 ? 0 : FirstWord(Run(layer, blocks[(position - 1) / KvLayout.BlockSize], 0)[((position - 1) % KvLayout.BlockSize * HeadBytes)..]);
            FillToken(layer, token, position, before, bytes);
            for (var run = 0; run < 2 * KvLayout.KvHeads; run++)
            {
                bytes.Slice(run * HeadBytes, HeadBytes).CopyTo(Run(layer, block, run)[(slot * HeadBytes)..]);
            }
        }
    }

    private void SumHidden(in StepSequence sequence)
    {
        if (sequence.HiddenSum is not { } sum)
        {
            return;
        }

        if (sequence.ComputedTokens == 0)
        {
            Array.Clear(sum);
        }

        for (var i = 0; i < sequence.RowCount; i++)
        {
            var state = Read(in sequence, sequence.ComputedTokens + i + 1);
            for (var element = 0; element < sum.Length; element++)
            {
                sum[element] += (Mix(state ^ (ulong)element) >> 40) * (2f / (1 << 24)) - 1;
            }
        }
    }

    private ulong Read(in StepSequence sequence, int tokens)
    {
        Span<byte> bytes = stackalloc byte[KvLayout.BytesPerTokenPerLayer];
        var state = HashSeed;
        for (var layer = 0; layer < KvLayout.Layers; layer++)
        {
            var blocks = BlocksOf(in sequence, layer);
            for (var position = FirstSeen(layer, tokens); position < tokens; position++)
            {
                var block = blocks[position / KvLayout.BlockSize];
                var slot = position % KvLayout.BlockSize;
                for (var run = 0; run < 2 * KvLayout.KvHeads; run++)
                {
                    Run(layer, block, run).Slice(slot * HeadBytes, HeadBytes).CopyTo(bytes[(run * HeadBytes)..]);
                }

                state = Fold(state, bytes);
            }
        }

        return state;
    }

    private static ulong FirstWord(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static void FillToken(int layer, int token, int position, ulong before, Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i += sizeof(ulong))
        {
            var word = Mix(before ^ ((ulong)layer << 56) ^ ((ulong)i << 48) ^ ((ulong)position << 24) ^ (uint)token);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[i..], word);
        }
    }

    private static ulong Fold(ulong state, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i += sizeof(ulong))
        {
            state = Mix(state ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes[i..]));
        }

        return state;
    }

    /// <summary>Logits from 0 to 8.</summary>
    private static void WriteLogits(ulong state, Span<float> logits)
    {
        for (var id = 0; id < logits.Length; id++)
        {
            logits[id] = (Mix(state + (ulong)id) >> 40) * (8f / (1 << 24));
        }
    }

    // The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
