using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Serving.Text.Tokenization;

namespace Serving.Embeddings;

/// <summary>
/// A sentence embedder (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019) on ONNX Runtime: tokens to one vector, the mean of the hidden states. It runs each text
/// alone and on the calling thread: dynamically quantised graphs scale activations over the whole input, so that a text's vector would depend on its
/// neighbours in a batch. Any number of threads may call at once.
/// </summary>
public sealed class SentenceModel : IDisposable
{
    private const string Ids = "input_ids";
    private const string Mask = "attention_mask";
    private const string Types = "token_type_ids";

    /// <summary>The name under which exporters put what is pooled already.</summary>
    private const string Pooled = "sentence_embedding";

    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly string[] _inputs;
    private readonly string _output;

    private SentenceModel(SentenceModelFiles files, InferenceSession session, ITokenizer tokenizer)
    {
        _session = session;
        Tokenizer = tokenizer;
        ContextLength = files.ContextLength;
        _inputs = [.. session.InputMetadata.Keys];
        string[] strangers = [.. _inputs.Except([Ids, Mask, Types])];
        if (strangers.Length > 0 || !_inputs.Contains(Ids))
        {
            throw new SentenceModelException($"{files.Graph} takes {string.Join(", ", _inputs)}; a sentence embedder takes {Ids}, {Mask} and perhaps {Types}.");
        }

        // Where a graph gives several, the first one is BERT's last hidden state by convention.
        _output = session.OutputMetadata.ContainsKey(Pooled) ? Pooled : session.OutputMetadata.Keys.First();
        int[] shape = session.OutputMetadata[_output].Dimensions;
        if (session.OutputMetadata[_output].ElementDataType != TensorElementType.Float || shape.Length is not (2 or 3))
        {
            throw new SentenceModelException($"{files.Graph}: its output {_output} is neither [texts, width] nor [texts, tokens, width] of fp32.");
        }

        Width = shape[^1] > 0 ? shape[^1] : files.Width;
    }

    public ITokenizer Tokenizer { get; }

    /// <summary>Most tokens of a text.</summary>
    public int ContextLength { get; }

    /// <summary>Elements of an embedding.</summary>
    public int Width { get; }

    /// <param name="path">The <c>.onnx</c> file, with <c>tokenizer.json</c> and <c>config.json</c> beside it or in the folder above.</param>
    /// <exception cref="SentenceModelException">It cannot be run.</exception>
    public static SentenceModel Load(string path)
    {
        SentenceModelFiles files = SentenceModelFiles.Find(path);
        try
        {
            ITokenizer tokenizer = TokenizerJson.Load(files.Tokenizer);
            return new SentenceModel(files, OpenSession(path), tokenizer);
        }
        catch (TokenizerFormatException exception)
        {
            throw new SentenceModelException($"{files.Tokenizer}: {exception.Message}", exception);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new SentenceModelException($"{path} cannot be run: {exception.Message}", exception);
        }
    }

    /// <summary>The mean of the tokens' hidden states, as the graph's makers scaled it.</summary>
    /// <param name="tokens">From 1 to <see cref="ContextLength"/> ids of the vocabulary.</param>
    public float[] Embed(ReadOnlySpan<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, ContextLength);
        var values = new OrtValue[_inputs.Length];
        try
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = OrtValue.CreateTensorValueFromMemory(Input(_inputs[i], tokens), [1, tokens.Length]);
            }

            using IDisposableReadOnlyCollection<OrtValue> results = _session.Run(_run, _inputs, values, [_output]);
            return Mean(results[0].GetTensorDataAsSpan<float>());
        }
        finally
        {
            Array.ForEach(values, value => value?.Dispose());
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }

    private static InferenceSession OpenSession(string path)
    {
        OnnxTelemetry.Disable();
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1, EnableCpuMemArena = false };
        return new InferenceSession(path, options);
    }

    private static long[] Input(string name, ReadOnlySpan<int> tokens)
    {
        long[] input = new long[tokens.Length];
        for (int i = 0; i < input.Length; i++)
        {
            input[i] = name switch { Ids => tokens[i], Mask => 1, _ => 0 };
        }

        return input;
    }

    private float[] Mean(ReadOnlySpan<float> states)
    {
        float[] mean = states[..Width].ToArray();
        for (int start = Width; start < states.Length; start += Width)
        {
            for (int i = 0; i < Width; i++)
            {
                mean[i] += states[start + i];
            }
        }

        for (int i = 0; i < Width; i++)
        {
            mean[i] /= states.Length / Width;
        }

        return mean;
    }
}
