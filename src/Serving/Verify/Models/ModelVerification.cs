using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Text;
using Serving.Text.Tokenization;

namespace Serving.Cli.Verify.Models;

/// <summary>Runs a model over what a reference made of it.</summary>
internal sealed class ModelVerification : IDisposable
{
    // Below this gap between first and second logit the reference itself could have gone the other way.
    private const float MarginMin = 1e-3f;

    // How far fp32 may be from the reference: weights as they were trained, and dequantised ones.
    private const float ErrorAllowedPlain = 2e-4f;
    private const float ErrorAllowedQuantised = 1e-3f;

    // The recorded log-probabilities are halves: near −16 they are 1/128 apart.
    private const float LogProbabilityErrorAllowed = 0.01f;
    private const double NllErrorAllowed = 1e-3;

    private readonly ModelSource _source;
    private readonly GoldenModel _golden;
    private readonly ComputeClass _compute;
    private readonly KvDataType? _kvType;
    private readonly ComputePool _pool = new(Environment.ProcessorCount);
    private readonly ITokenizer _tokenizer;

    public ModelVerification(ModelSource source, GoldenModel golden, ComputeClass compute, KvDataType? kvType = null)
    {
        _source = source;
        _golden = golden;
        _compute = compute;
        _kvType = kvType;
        _tokenizer = source.ReadText().Tokenizer;
    }

    /// <exception cref="ModelFormatException">The model cannot be run.</exception>
    /// <exception cref="VerifyException">The golden file is of another model.</exception>
    public ModelReport Run()
    {
        using var reference = Load(ComputeClass.Fp32);
        using var own = _compute == ComputeClass.Fp32 ? null : Load(_compute);
        Check(reference.Model.VocabularySize);
        var runner = new LogitRunner(own ?? reference);
        var referenceRunner = own is null ? null : new LogitRunner(reference);
        CaseReport[] cases = [.. _golden.Cases.Select(golden => Run(golden, runner, referenceRunner))];
        TextReport[] texts = [.. _golden.Texts.Select(golden => Run(golden, runner, referenceRunner))];
        return new ModelReport
        {
            Path = _source.Path,
            Architecture = reference.Model.Architecture,
            ComputePath = (own ?? reference).Model.ComputePath,
            IsReference = own is null,
            ErrorAllowed = IsQuantised() ? ErrorAllowedQuantised : ErrorAllowedPlain,
            PeerLargestError = _golden.PeerLargestError,
            Cases = cases,
            Texts = texts,
            TokenRows = _golden.Tokens.Count,
            TokenRowsMatched = _golden.Tokens.Count(Matches),
        };
    }

    public void Dispose() => _pool.Dispose();

    private CpuModelExecutor Load(ComputeClass compute)
    {
        var tokensMax = Math.Max(
            _golden.Cases.Select(golden => golden.PromptIds.Length + golden.Greedy.Length).DefaultIfEmpty().Max(),
            _golden.Texts.Select(text => text.Tokens.Length).DefaultIfEmpty().Max());
        var options = new ModelLoadOptions { ComputeClass = compute, KvDataType = compute == _compute ? _kvType : null, KvBlocks = 1, StepRowsMax = LogitRunner.RowsMax };
        return ModelLoader.Load(_source, options with { KvBlocks = ((tokensMax + options.BlockSize - 1) / options.BlockSize) + 1 }, _pool);
    }

    /// <summary>A golden file of another model is said to be one, before its tokens lead out of the vocabulary.</summary>
    private void Check(int vocabularySize)
    {
        var ids = _golden.Cases.SelectMany(golden => golden.PromptIds.Concat(golden.Greedy)).Concat(_golden.Texts.SelectMany(text => text.Tokens));
        var highest = ids.DefaultIfEmpty().Max();
        if (highest >= vocabularySize || ids.DefaultIfEmpty().Min() < 0)
        {
            throw new VerifyException($"The golden file names the token {highest}, but {_source.Path} has {vocabularySize}: it is another model's.");
        }

        if (_golden.Cases.FirstOrDefault(golden => golden.Logits.Any(row => row.Length != vocabularySize) || golden.Logits.Length > golden.PromptIds.Length) is { } wrong)
        {
            throw new VerifyException($"The golden file's logits of case {wrong.Name} are not those of its prompt over {vocabularySize} tokens: it is another model's.");
        }
    }

    private bool IsQuantised() => _source.Tensors.Any(tensor => BlockDecoder.BlockElements(tensor.Type) > 1);

    private CaseReport Run(GoldenCase golden, LogitRunner runner, LogitRunner? reference)
    {
        // The last token's logits choose a token that nobody asks for.
        int[] tokens = [.. golden.PromptIds, .. golden.Greedy.SkipLast(1)];
        var firstLogits = golden.PromptIds.Length - golden.Logits.Length;
        var (largestError, matched, position) = (0f, 0, 0);
        var distance = new Distance();
        using var referenceRows = reference?.All(tokens).GetEnumerator();
        foreach (var logits in runner.All(tokens))
        {
            if (position >= firstLogits && position < golden.PromptIds.Length)
            {
                largestError = Math.Max(largestError, LargestError(golden.Logits[position - firstLogits], logits.Span));
            }

            var logProbabilities = Distance.LogProbabilities(logits.Span);
            var step = position - golden.PromptIds.Length + 1;
            if (step >= 0)
            {
                matched += golden.Margins[step] <= MarginMin || Distance.First(logProbabilities) == golden.Greedy[step] ? 1 : 0;
            }

            if (referenceRows is not null)
            {
                referenceRows.MoveNext();
                distance.Add(Distance.LogProbabilities(referenceRows.Current.Span), logProbabilities);
            }

            position++;
        }

        return new CaseReport(golden.Name, golden.Logits.Length, largestError, matched, golden.Greedy.Length, Encodes(golden), reference is null ? null : distance);
    }

    private static TextReport Run(GoldenText golden, LogitRunner runner, LogitRunner? reference)
    {
        var distance = new Distance();
        var (largestError, nll, position) = (0.0, 0.0, 0);
        using var ownRows = reference is null ? null : runner.All(golden.Tokens).GetEnumerator();
        foreach (var logits in (reference ?? runner).All(golden.Tokens))
        {
            var logProbabilities = Distance.LogProbabilities(logits.Span);
            for (var i = 0; i < golden.TopIds[position].Length; i++)
            {
                largestError = Math.Max(largestError, Math.Abs(golden.TopLogProbabilities[position][i] - logProbabilities[golden.TopIds[position][i]]));
            }

            if (ownRows is not null)
            {
                ownRows.MoveNext();
                distance.Add(logProbabilities, Distance.LogProbabilities(ownRows.Current.Span));
            }

            position++;
            nll -= position < golden.Tokens.Length ? logProbabilities[golden.Tokens[position]] : 0;
        }

        nll /= golden.Tokens.Length - 1;
        var isRight = largestError <= LogProbabilityErrorAllowed && Math.Abs(nll - golden.Nll) <= NllErrorAllowed;
        return new TextReport(golden.Name, golden.Tokens.Length, largestError, nll, isRight, golden.PeerMeanKl, golden.PeerTop1Agreement, reference is null ? null : distance);
    }

    private static float LargestError(float[] expected, ReadOnlySpan<float> got)
    {
        var largest = 0f;
        for (var i = 0; i < expected.Length; i++)
        {
            // NaN is as far off as can be.
            var error = Math.Abs(expected[i] - got[i]);
            largest = float.IsNaN(error) ? float.PositiveInfinity : Math.Max(largest, error);
        }

        return largest;
    }

    private bool Encodes(GoldenCase golden)
    {
        if (golden.Text is null)
        {
            return true;
        }

        // The recorded prompts are cut to a length.
        var ids = Encode(PromptText.Trusted(golden.Text), addSpecialTokens: true);
        return ids.Take(golden.PromptIds.Length).SequenceEqual(golden.PromptIds);
    }

    private bool Matches(GoldenTokens golden) =>
        Encode(PromptText.Trusted(golden.Text), addSpecialTokens: false).SequenceEqual(golden.Parsed)
        && (golden.Plain is null || Encode(PromptText.Plain(golden.Text), addSpecialTokens: false).SequenceEqual(golden.Plain));

    private List<int> Encode(PromptText text, bool addSpecialTokens)
    {
        var ids = new List<int>();
        _tokenizer.Encode(text, addSpecialTokens, ids);
        return ids;
    }
}
