using System.Diagnostics;
using Serving.Engine.Sampling;

namespace Serving.Cli.Bench.Peer;

/// <summary>
/// llama.cpp's side: one context for a case, fp16 KV, flash attention, one row of KV a sequence. Its threads poll for a few tenths of a second after a measurement and then sleep, which
/// <see cref="QuietProcess"/> waits for. Prompts are computed once, and their answers forgotten before each measurement. The next tokens are chosen by the same sampler as on our side,
/// which is faster than llama.cpp's own.
/// </summary>
internal sealed unsafe class LlamaSide : IPeerSide
{
    private readonly LlamaLibrary _library;
    private readonly int _threads;
    private readonly nint _model;
    private readonly Sampler _sampler;
    private readonly int _vocabularySize;
    private nint _context;
    private nint _threadPool;
    private LlamaTokens? _batch;
    private PeerCase? _case;
    private int[][] _prompts = [];
    private int[] _next = [];

    public LlamaSide(LlamaLibrary library, string modelPath, int threads)
    {
        _library = library;
        _threads = threads;
        _model = library.LoadModel(modelPath);
        _vocabularySize = library.VocabularySize(library.Vocabulary(_model));
        _sampler = new Sampler(_vocabularySize);
    }

    public IReadOnlyList<int> FirstTokens { get; private set; } = [];

    public void Prepare(PeerCase one, int[][] prompts)
    {
        Release();
        _case = one;
        _prompts = prompts;
        var batchTokens = 0u;
        _context = _library.CreateContext(_model, defaults =>
        {
            batchTokens = defaults.BatchTokens;
            return defaults with
            {
                ContextTokens = (uint)(one.Streams * one.SequenceTokens),
                SequencesMax = (uint)one.Streams,
                Threads = _threads,
                BatchThreads = _threads,
                FlashAttention = LlamaContextParams.FlashAttentionOn,
                KeyType = LlamaContextParams.Float16,
                ValueType = LlamaContextParams.Float16,
            };
        });
        _threadPool = _library.CreateThreadPool(_threads);
        _library.AttachThreadPool(_context, _threadPool, _threadPool);
        _batch = new LlamaTokens((int)batchTokens);
        FirstTokens = new int[one.Streams];
        _next = new int[one.Streams];
        if (!one.IsPrefill)
        {
            ComputePrompts();
        }
    }

    public StepSum Measure()
    {
        var one = _case ?? throw new InvalidOperationException("Nothing is prepared.");
        var memory = _library.Memory(_context);
        for (var stream = 0; stream < one.Streams; stream++)
        {
            if (_library.RemoveFromMemory(memory, stream, one.IsPrefill ? 0 : one.PromptTokens, -1) == 0)
            {
                throw new BenchException("llama.cpp does not forget the tokens of the measurement before.");
            }
        }

        return one.IsPrefill
            ? new StepSum(1, one.PromptTokens * one.Streams, one.Streams, Seconds(ComputePrompts), AllocatedBytes: 0)
            : new StepSum(one.AnswerTokens, one.AnswerTokens * one.Streams, one.AnswerTokens * one.Streams, Seconds(DecodeAnswers), AllocatedBytes: 0);
    }

    public void Dispose()
    {
        Release();
        _library.FreeModel(_model);
    }

    private void ComputePrompts()
    {
        int[] first = new int[_prompts.Length];
        var batch = _batch!;
        for (var stream = 0; stream < _prompts.Length;)
        {
            var (begin, room) = (stream, batch.Capacity);
            batch.Clear();
            for (; stream < _prompts.Length && _prompts[stream].Length <= room; room -= _prompts[stream++].Length)
            {
                batch.AddPrompt(stream, _prompts[stream]);
            }

            Decode(batch);
            for (int i = begin, end = 0; i < stream; i++)
            {
                end += _prompts[i].Length;
                first[i] = Choose(end - 1);
            }
        }

        FirstTokens = first;
    }

    private void DecodeAnswers()
    {
        var (one, batch) = (_case!, _batch!);
        for (var stream = 0; stream < one.Streams; stream++)
        {
            _next[stream] = FirstTokens[stream];
        }

        for (var step = 0; step < one.AnswerTokens; step++)
        {
            batch.Clear();
            for (var stream = 0; stream < one.Streams; stream++)
            {
                batch.Add(stream, _next[stream], one.PromptTokens + step, wantsLogits: true);
            }

            Decode(batch);
            for (var stream = 0; stream < one.Streams; stream++)
            {
                _next[stream] = Choose(stream);
            }
        }
    }

    private void Decode(LlamaTokens batch)
    {
        var status = _library.Decode(_context, batch.Native);
        if (status != 0)
        {
            throw new BenchException($"llama_decode failed with {status}.{LlamaLibrary.TakeErrors()}");
        }
    }

    private int Choose(int row)
    {
        // Waits for the step, where it still runs.
        var logits = _library.LogitsOf(_context, row);
        if (logits is null)
        {
            throw new BenchException($"llama.cpp gave no logits.{LlamaLibrary.TakeErrors()}");
        }

        var input = new SamplingInput { Logits = new ReadOnlySpan<float>(logits, _vocabularySize), Parameters = SamplingParameters.Greedy, Tokens = [], PromptLength = 0 };
        return _sampler.TrySample(input, out var token)
            ? token
            : throw new BenchException("llama.cpp gave logits that are not finite numbers.");
    }

    private static double Seconds(Action work)
    {
        var begin = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private void Release()
    {
        if (_context != 0)
        {
            // In this order: the context's backend keeps the pool until its own end.
            _library.FreeContext(_context);
            _library.FreeThreadPool(_threadPool);
            _context = 0;
        }

        _batch?.Dispose();
        _batch = null;
    }
}
