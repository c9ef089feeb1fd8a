using Serving.Engine.Scheduling;
using static Serving.Engine.Tests.Scheduling.SchedulerHarness;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Served tokens are weighted as the paper does: a prompt token once, an answer token twice.</summary>
public sealed class TenantFairnessTests
{
    [Fact]
    public void Two_tenants_at_one_to_ten_load_each_get_half_when_both_want_more()
    {
        var served = Run(steps: 2_000, smallPerStep: 1, largePerStep: 10);

        Assert.InRange(served["small"] / (double)served["large"], 0.9, 1.1);
    }

    [Fact]
    public void A_tenant_who_wants_less_than_its_share_gets_all_it_wants()
    {
        var served = Run(steps: 2_000, smallPerStep: 0.1, largePerStep: 1);
        var wanted = Run(steps: 2_000, smallPerStep: 0.1, largePerStep: 0);

        Assert.InRange(served["small"] / (double)wanted["small"], 0.9, 1.0001);
        Assert.True(served["large"] > served["small"], $"The large tenant got only {served["large"]}.");
    }

    [Fact]
    public void A_tenant_who_was_away_has_saved_up_nothing()
    {
        var harness = new SchedulerHarness(runningMax: 1);
        for (var i = 0; i < 12; i++)
        {
            harness.Add(Prompt(4, i), tenant: "a");
        }

        for (var step = 0; step < 30; step++)
        {
            harness.Step();
        }

        harness.Admitted.Clear();
        var back = new List<Sequence>();
        for (var i = 0; i < 4; i++)
        {
            back.Add(harness.Add(Prompt(4, 100 + i), tenant: "b"));
        }

        harness.RunToEnd();

        // The newcomer and the one who waits take turns.
        var order = harness.Admitted.Select(id => back.Exists(sequence => sequence.Id == id) ? 'b' : 'a').Take(6);
        Assert.Equal(3, order.Count(tenant => tenant == 'b'));
    }

    [Fact]
    public void Many_tenants_that_come_once_leave_nothing_behind()
    {
        var harness = new SchedulerHarness();
        for (var i = 0; i < 3_000; i++)
        {
            harness.Add([1, 2], answerTokens: 1, tenant: $"tenant {i}");
            harness.Step();
        }

        harness.RunToEnd();
        harness.AssertEmpty();
    }

    /// <summary>Weighted tokens that each tenant was served while both had as much waiting as they wanted to.</summary>
    private static Dictionary<string, long> Run(int steps, double smallPerStep, double largePerStep)
    {
        // One each, so that what a tenant sends does not depend on the other.
        var (small, large) = (new Random(7), new Random(8));
        var harness = new SchedulerHarness(blocks: 40, batchTokensMax: 24, runningMax: 6);
        var sequences = new List<Sequence>();
        for (var step = 0; step < steps; step++)
        {
            Arrive("small", small, smallPerStep);
            Arrive("large", large, largePerStep);
            harness.Step();
        }

        return sequences.GroupBy(sequence => sequence.Tenant).ToDictionary(
            group => group.Key, group => group.Sum(sequence => (long)Math.Min(sequence.ComputedPromptTokens, sequence.PromptLength) + (2 * (sequence.TokenCount - sequence.PromptLength))));

        void Arrive(string tenant, Random random, double perStep)
        {
            for (var left = perStep; left > 0; left--)
            {
                // Longer prompts for one, longer answers for the other.
                if (random.NextDouble() < left && sequences.Count(sequence => sequence.Tenant == tenant && !sequence.IsFinished) < 40)
                {
                    var isSmall = tenant == "small";
                    sequences.Add(harness.Add(
                        Prompt(random.Next(1, isSmall ? 24 : 12), random.Next()), answerTokens: random.Next(1, isSmall ? 8 : 16), tenant: tenant, salt: null));
                }
            }
        }
    }
}
