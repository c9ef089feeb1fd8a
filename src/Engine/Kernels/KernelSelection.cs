using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>
/// Which instruction set the matrix kernels of this process use. What is fastest on one processor is slowest on another, so the choice is measured;
/// and only kernels whose results equal the portable ones' bit for bit take part.
/// </summary>
public sealed class KernelSelection
{
    /// <summary>The environment variable that forces an instruction set: <c>portable</c>, <c>avx2</c>, <c>avx512</c> or <c>avx512vnni</c>.</summary>
    public const string EnvironmentVariable = "SERVING_SIMD";

    private static readonly Lazy<KernelSelection> _default = new(() => Choose(Environment.GetEnvironmentVariable(EnvironmentVariable)));

    private readonly Dictionary<GgmlType, KernelSet> _byType = [];

    private KernelSelection(KernelSet kernels, KernelCandidate[] candidates)
    {
        Kernels = kernels;
        Candidates = candidates;
    }

    /// <summary>The choice of this process, made at its first use.</summary>
    public static KernelSelection Default => _default.Value;

    /// <summary>The chosen instruction set.</summary>
    public string Name => Kernels.Name;

    /// <summary>Every instruction set and what came of it, for the log.</summary>
    public IReadOnlyList<KernelCandidate> Candidates { get; }

    internal KernelSet Kernels { get; }

    /// <summary>
    /// The kernels for a format: the chosen set's, unless they prove wrong when a process first needs them; then the portable ones. No start waits for the trial
    /// of formats that its model does not have.
    /// </summary>
    internal KernelSet KernelsFor(GgmlType type)
    {
        lock (_byType)
        {
            if (!_byType.TryGetValue(type, out KernelSet? kernels))
            {
                using KernelTrial trial = new();
                kernels = trial.AgreesWithPortable(Kernels, type) ? Kernels : KernelSet.Portable;
                _byType.Add(type, kernels);
            }

            return kernels;
        }
    }

    /// <summary>Chooses the fastest sound kernels.</summary>
    /// <param name="forced">The one instruction set to use, or null or empty.</param>
    /// <exception cref="ArgumentException">The forced set is unknown, not this processor's, or unsound.</exception>
    public static KernelSelection Choose(string? forced) => Choose(KernelSet.All, forced);

    internal static KernelSelection Choose(ReadOnlySpan<KernelSet> sets, string? forced)
    {
        using KernelTrial trial = new();
        KernelCandidate[] candidates = new KernelCandidate[sets.Length];
        int chosen = -1;
        for (int i = 0; i < sets.Length; i++)
        {
            candidates[i] = Examine(trial, sets[i], forced);
            if (candidates[i].Verdict == KernelVerdict.Slower && (chosen < 0 || candidates[i].Microseconds < candidates[chosen].Microseconds))
            {
                chosen = i;
            }
        }

        if (chosen < 0)
        {
            throw Refusal(candidates, forced);
        }

        candidates[chosen] = candidates[chosen] with { Verdict = KernelVerdict.Chosen };
        return new KernelSelection(sets[chosen], candidates);
    }

    private static KernelCandidate Examine(KernelTrial trial, KernelSet set, string? forced)
    {
        if (!string.IsNullOrEmpty(forced) && set.Name != forced)
        {
            return new KernelCandidate(set.Name, KernelVerdict.NotForced, 0);
        }

        if (!set.IsSupported)
        {
            return new KernelCandidate(set.Name, KernelVerdict.Unsupported, 0);
        }

        return trial.AgreesWithPortable(set)
            ? new KernelCandidate(set.Name, KernelVerdict.Slower, trial.MeasureMicroseconds(set))
            : new KernelCandidate(set.Name, KernelVerdict.Disagrees, 0);
    }

    private static ArgumentException Refusal(KernelCandidate[] candidates, string? forced)
    {
        foreach (KernelCandidate candidate in candidates)
        {
            if (candidate.Name == forced)
            {
                string reason = candidate.Verdict == KernelVerdict.Unsupported ? "this processor lacks its instructions" : "its results are wrong here";
                return new ArgumentException($"{EnvironmentVariable}={forced} cannot be used: {reason}. Unset it, or use 'portable'.", nameof(forced));
            }
        }

        return new ArgumentException($"{EnvironmentVariable}={forced} is none of portable, avx2, avx512 and avx512vnni.", nameof(forced));
    }
}
