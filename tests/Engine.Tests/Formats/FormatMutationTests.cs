using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>Damaged models either open or are refused, in little time and memory. <c>bench/Formats.Bench</c> does ten times as many and more.</summary>
public sealed class FormatMutationTests
{
    private const int Inputs = 10_000;
    private const int Seed = 20261124;

    /// <summary>Reading one takes well under a millisecond; a machine under load is no hang.</summary>
    private const double SecondsMax = 20;

    public static TheoryData<string> Names() => [.. FormatTargets.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_damaged_model_either_opens_or_is_refused(string name)
    {
        using FormatTarget target = FormatTargets.All[name]();
        target.ReadOriginal();
        int opened = 0;
        for (int i = 0; i < Inputs; i++)
        {
            FormatOutcome outcome = target.Try(Seed + i);
            Assert.True(outcome.Failure is null, $"{name}, seed {Seed + i}: {outcome.Failure}");
            Assert.True(outcome.AllocatedBytes <= FormatTargets.AllocatedBytesMax, $"{name}, seed {Seed + i}: allocated {outcome.AllocatedBytes} bytes");
            Assert.True(outcome.Elapsed.TotalSeconds <= SecondsMax, $"{name}, seed {Seed + i}: took {outcome.Elapsed}");
            opened += outcome.Opened ? 1 : 0;
        }

        Assert.InRange(opened, 1, Inputs - 1);
    }
}
