using Serving.Engine.Kernels;

namespace Serving.Engine.Tests.Kernels;

public sealed class KernelSelectionTests
{
    [Fact]
    public void Chooses_the_fastest_of_the_sound_sets()
    {
        KernelSelection selection = KernelSelection.Choose(forced: null);

        KernelCandidate chosen = Assert.Single(selection.Candidates, candidate => candidate.Verdict == KernelVerdict.Chosen);
        Assert.Equal(selection.Name, chosen.Name);
        Assert.All(
            selection.Candidates.Where(candidate => candidate.Verdict == KernelVerdict.Slower),
            candidate => Assert.True(candidate.Microseconds >= chosen.Microseconds));
        Assert.DoesNotContain(selection.Candidates, candidate => candidate.Verdict == KernelVerdict.Disagrees);
    }

    [Fact]
    public void Uses_the_forced_set_only()
    {
        KernelSelection selection = KernelSelection.Choose("portable");

        Assert.Equal("portable", selection.Name);
        Assert.Equal("q4_1·int8/portable", KernelNameOf(selection));
    }

    [Fact]
    public void Names_the_sets_there_are_when_the_forced_one_is_unknown() =>
        Assert.Contains("portable, avx2, avx512 and avx512vnni", Assert.Throws<ArgumentException>(() => KernelSelection.Choose("sse9")).Message, StringComparison.Ordinal);

    [Fact]
    public unsafe void Refuses_a_set_whose_results_differ()
    {
        AssertRefused(KernelSet.Portable.WithNibble("broken", &WriteNothing));
        AssertRefused(KernelSet.Portable.WithAttention("broken", &AttendToNothing));
    }

    private static void AssertRefused(KernelSet broken)
    {
        KernelSelection selection = KernelSelection.Choose([KernelSet.Portable, broken], forced: null);

        Assert.Equal("portable", selection.Name);
        Assert.Equal(KernelVerdict.Disagrees, selection.Candidates[1].Verdict);
    }

    private static unsafe void WriteNothing(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
    }

    private static unsafe void AttendToNothing(in AttentionPart part) => part.Result.Begin([], part.FirstQuery, part.QueryCount);

    private static string KernelNameOf(KernelSelection selection)
    {
        using RandomMatrix matrix = new(Formats.GgmlType.Q4_1, 16, 32, seed: 1);
        using WeightMatrix packed = new Int8BlockNumericClass(selection).Pack(matrix.Raw);
        return packed.KernelName;
    }
}
