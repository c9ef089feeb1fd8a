using System.Text.Json;

namespace Serving.Engine.Tests;

/// <summary>The default model against the recorded reference. How near the fast class is to it is verified by the <c>serving model verify</c> tests.</summary>
public sealed class SmolLm2Tests(SmolLm2Fixture models) : IClassFixture<SmolLm2Fixture>
{
    private static readonly JsonElement _golden = GoldenFixtures.Json("smollm2", "golden.json");
    private static readonly GoldenCase[] _chats = [.. _golden.GetProperty("chat").EnumerateArray().Select(chat => GoldenFixtures.Case(chat, "prompt_ids"))];

    [Fact]
    public void All_chats_are_token_exact_in_fp32() => Assert.Empty(GoldenGreedy.Differences(new StepDriver(models.Fp32), _chats));

    [Fact]
    public void The_fast_class_knows_the_capital_of_France() =>
        Assert.Empty(GoldenGreedy.Differences(new StepDriver(models.Fast), [_chats[0]]));
}
