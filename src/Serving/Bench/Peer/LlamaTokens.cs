using System.Runtime.InteropServices;

namespace Serving.Cli.Bench.Peer;

/// <summary>The memory behind a <see cref="LlamaBatch"/>: each token belongs to one sequence.</summary>
internal sealed unsafe class LlamaTokens : IDisposable
{
    private readonly int* _sequences;
    private LlamaBatch _batch;

    public LlamaTokens(int capacity)
    {
        Capacity = capacity;
        _sequences = Allocate<int>(capacity);
        _batch = new LlamaBatch
        {
            Tokens = Allocate<int>(capacity),
            Positions = Allocate<int>(capacity),
            SequenceCounts = Allocate<int>(capacity),
            SequenceIds = (int**)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(int*)),
            WantsLogits = Allocate<sbyte>(capacity),
        };
        for (var i = 0; i < capacity; i++)
        {
            _batch.SequenceCounts[i] = 1;
            _batch.SequenceIds[i] = _sequences + i;
        }
    }

    public int Capacity { get; }

    public LlamaBatch Native => _batch;

    public void Clear() => _batch.TokenCount = 0;

    public void Add(int sequence, int token, int position, bool wantsLogits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(_batch.TokenCount, Capacity);
        var i = _batch.TokenCount++;
        _batch.Tokens[i] = token;
        _batch.Positions[i] = position;
        _sequences[i] = sequence;
        _batch.WantsLogits[i] = wantsLogits ? (sbyte)1 : (sbyte)0;
    }

    /// <summary>Adds a prompt from position 0 on; the logits of its last token are wanted.</summary>
    public void AddPrompt(int sequence, ReadOnlySpan<int> prompt)
    {
        for (var i = 0; i < prompt.Length; i++)
        {
            Add(sequence, prompt[i], i, wantsLogits: i == prompt.Length - 1);
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_batch.Tokens);
        NativeMemory.Free(_batch.Positions);
        NativeMemory.Free(_batch.SequenceCounts);
        NativeMemory.Free(_batch.SequenceIds);
        NativeMemory.Free(_batch.WantsLogits);
        NativeMemory.Free(_sequences);
        _batch = default;
    }

    private static T* Allocate<T>(int count)
        where T : unmanaged => (T*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(T));
}
