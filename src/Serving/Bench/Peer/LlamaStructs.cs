using System.Runtime.InteropServices;

namespace Serving.Cli.Bench.Peer;

/// <summary><c>struct llama_model_params</c> of llama.cpp 0.5.0 (<c>include/llama.h</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct LlamaModelParams
{
    public nint Devices;
    public nint TensorBufferOverrides;
    public int GpuLayers;
    public int SplitMode;
    public int LoadMode;
    public int LazyMode;
    public int MainGpu;
    public nint TensorSplit;
    public nint ProgressCallback;
    public nint ProgressUserData;
    public nint KvOverrides;
    public byte VocabOnly;
    public byte CheckTensors;
    public byte UseExtraBufferTypes;
    public byte NoHost;
    public byte NoAlloc;
    public byte LoadMtp;

    /// <summary>What <c>llama_model_default_params</c> of that version returns.</summary>
    public static LlamaModelParams Known { get; } = new() { GpuLayers = -1, SplitMode = 1, LoadMode = -1, LazyMode = 1, UseExtraBufferTypes = 1 };
}

/// <summary><c>struct llama_context_params</c> of llama.cpp 0.5.0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct LlamaContextParams
{
    public uint ContextTokens;
    public uint BatchTokens;
    public uint MicroBatchTokens;
    public uint SequencesMax;
    public uint RecurrentSnapshots;
    public uint OutputsMax;
    public uint OutputsPerSequenceMax;
    public int Threads;
    public int BatchThreads;
    public int ContextType;
    public int RopeScaling;
    public int Pooling;
    public int Attention;
    public int FlashAttention;
    public float RopeFrequencyBase;
    public float RopeFrequencyScale;
    public float YarnExtFactor;
    public float YarnAttentionFactor;
    public float YarnBetaFast;
    public float YarnBetaSlow;
    public uint YarnOriginalContext;
    public float DefragThreshold;
    public nint EvalCallback;
    public nint EvalUserData;
    public int KeyType;
    public int ValueType;
    public nint AbortCallback;
    public nint AbortUserData;
    public byte Embeddings;
    public byte OffloadKqv;
    public byte NoPerf;
    public byte OffloadOperations;
    public byte FullWindow;
    public byte UnifiedKv;
    public nint Samplers;
    public nuint SamplerCount;
    public nint OtherContext;

    public const int Float16 = 1;
    public const int FlashAttentionOn = 1;

    /// <summary>What <c>llama_context_default_params</c> of that version returns.</summary>
    public static LlamaContextParams Known { get; } = new()
    {
        ContextTokens = 512,
        BatchTokens = 2048,
        MicroBatchTokens = 512,
        SequencesMax = 1,
        OutputsPerSequenceMax = 1,
        Threads = 4,
        BatchThreads = 4,
        RopeScaling = -1,
        Pooling = -1,
        Attention = -1,
        FlashAttention = -1,
        YarnExtFactor = -1,
        YarnAttentionFactor = -1,
        YarnBetaFast = -1,
        YarnBetaSlow = -1,
        DefragThreshold = -1,
        KeyType = Float16,
        ValueType = Float16,
        OffloadKqv = 1,
        NoPerf = 1,
        OffloadOperations = 1,
        FullWindow = 1,
    };
}

/// <summary><c>struct llama_batch</c> of llama.cpp 0.5.0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaBatch
{
    public int TokenCount;
    public int* Tokens;
    public float* Embeddings;
    public int* Positions;
    public int* SequenceCounts;
    public int** SequenceIds;
    public sbyte* WantsLogits;
}
