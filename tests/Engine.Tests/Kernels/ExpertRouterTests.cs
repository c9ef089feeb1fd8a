using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Tests.Kernels;

public sealed class ExpertRouterTests
{
    public static TheoryData<RouterScore, bool, float, int, int, bool, bool> Kinds
    {
        get
        {
            var kinds = new TheoryData<RouterScore, bool, float, int, int, bool, bool>();
            foreach (RouterScore score in Enum.GetValues<RouterScore>())
            {
                foreach ((int groups, int used) in ((int, int)[])[(1, 1), (4, 2), (4, 1), (4, 4), (12, 3)])
                {
                    kinds.Add(score, true, 1, groups, used, true, true);
                    kinds.Add(score, false, 2.5f, groups, used, false, false);
                    kinds.Add(score, true, 1.7f, groups, used, true, false);
                    kinds.Add(score, false, 1, groups, used, false, true);
                }
            }

            return kinds;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_a_plain_reference(RouterScore score, bool renormalize, float scale, int groups, int groupsUsed, bool topTwo, bool corrects)
    {
        // The choice is of all experts of the kept groups and more where the groups are small: then masked ones come, too.
        var router = new RouterSpec(12, 3, score, renormalize, scale, groups, groupsUsed, topTwo);
        var random = new Random(7);
        for (int round = 0; round < 50; round++)
        {
            float[] logits = Numbers(random, 12, 6);
            float[] correction = corrects ? Numbers(random, 12, 0.4f) : [];

            (float[] weights, int[] experts) = Choose(router, logits, correction);

            (double[] expectedWeights, int[] expectedExperts) = Reference(router, logits, correction);
            Assert.Equal(expectedExperts, experts);
            for (int i = 0; i < weights.Length; i++)
            {
                Assert.Equal(expectedWeights[i], weights[i], 2e-6 * (1 + Math.Abs(expectedWeights[i])));
            }
        }
    }

    [Fact]
    public void Experts_of_other_groups_count_as_0_and_not_as_impossible()
    {
        // Group 0 is kept for its best expert; its other one is worse than 0 by its correction, so that the first masked expert comes before it.
        var router = new RouterSpec(4, 2, RouterScore.Sigmoid, Renormalize: false, Groups: 2, GroupsUsed: 1, GroupScoreIsTopTwo: false);

        (float[] weights, int[] experts) = Choose(router, [3, 0, 1, 1], [0, -2, 0, 0]);

        Assert.Equal([0, 2], experts);
        Assert.Equal(1 / (1 + Math.Exp(-1)), weights[1], 1e-6); // its weight is its score all the same
    }

    [Fact]
    public void The_lower_number_comes_first_among_equals()
    {
        (_, int[] experts) = Choose(new RouterSpec(6, 4, RouterScore.Softmax, Renormalize: true), [1, 2, 2, 1, 2, 1], []);

        Assert.Equal([1, 2, 4, 0], experts);
    }

    [Fact]
    public void A_group_of_equals_is_chosen_by_its_place()
    {
        (_, int[] experts) = Choose(new RouterSpec(6, 2, RouterScore.Sigmoid, Renormalize: true, Groups: 3, GroupsUsed: 1), [1, 1, 1, 1, 1, 1], []);

        Assert.Equal([0, 1], experts);
    }

    [Theory]
    [InlineData(RouterScore.Softmax)]
    [InlineData(RouterScore.Sigmoid)]
    [InlineData(RouterScore.SoftmaxOfChosen)]
    public void Never_leaves_the_range_and_never_takes_an_expert_twice(RouterScore score)
    {
        float[] poisons = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, 0];
        var random = new Random(3);
        for (int round = 0; round < 2000; round++)
        {
            int groups = 1 << random.Next(4);
            var router = new RouterSpec(
                8, random.Next(1, 9), score, random.Next(2) == 0, 1, groups, random.Next(1, groups + 1), GroupScoreIsTopTwo: random.Next(2) == 0);
            float[] logits = [.. Enumerable.Range(0, 8).Select(_ => poisons[random.Next(round % 2 == 0 ? 1 : 6)])];
            float[] correction = random.Next(2) == 0 ? [] : [.. Enumerable.Range(0, 8).Select(_ => poisons[random.Next(6)])];

            (_, int[] experts) = Choose(router, logits, correction);

            Assert.All(experts, expert => Assert.InRange(expert, 0, 7));
            Assert.Equal(experts.Length, experts.Distinct().Count());
        }
    }

    private static (float[] Weights, int[] Experts) Choose(RouterSpec router, float[] logits, float[] correction)
    {
        float[] weights = new float[router.Used];
        float[] experts = new float[router.Used];
        ExpertRouter.Choose(router, logits, correction, weights, experts, new float[ExpertRouter.ScratchLength(router)]);
        Assert.All(experts, expert => Assert.Equal(MathF.Truncate(expert), expert));
        return (weights, Array.ConvertAll(experts, expert => (int)expert));
    }

    private static (double[] Weights, int[] Experts) Reference(RouterSpec router, float[] logits, float[] correction)
    {
        double[] exponentials = [.. logits.Select(logit => Math.Exp(logit))];
        double[] scores = router.Score switch
        {
            RouterScore.Softmax => [.. exponentials.Select(value => value / exponentials.Sum())],
            RouterScore.Sigmoid => [.. exponentials.Select(value => value / (1 + value))],
            _ => [.. logits.Select(logit => (double)logit)],
        };
        double[] ranks = [.. scores.Select((value, i) => value + (correction.Length == 0 ? 0 : correction[i]))];
        int size = router.Experts / router.Groups;
        if (router.GroupsUsed < router.Groups)
        {
            int[] kept = [.. Enumerable.Range(0, router.Groups)
                .OrderByDescending(group => ranks.Skip(group * size).Take(size).OrderDescending().Take(router.GroupScoreIsTopTwo ? 2 : 1).Sum())
                .Take(router.GroupsUsed)];
            ranks = [.. ranks.Select((rank, i) => kept.Contains(i / size) ? rank : 0)];
        }

        int[] experts = [.. Enumerable.Range(0, router.Experts).OrderByDescending(expert => ranks[expert]).Take(router.Used)];
        double[] weights = [.. experts.Select(expert => router.Score == RouterScore.SoftmaxOfChosen ? exponentials[expert] : scores[expert])];
        double sum = router.Renormalize || router.Score == RouterScore.SoftmaxOfChosen ? weights.Sum() : 1;
        return ([.. weights.Select(weight => weight / sum * router.Scale)], experts);
    }

    private static float[] Numbers(Random random, int count, float range) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) * range)];
}
