using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Worker.Tests.HandOff;

namespace Serving.Worker.Tests.Completions;

/// <summary>Answers that a worker holds to a constraint; its vocabulary is the 32 letters from A on.</summary>
public sealed class ConstraintCompletionTests
{
    [Fact]
    public async Task Every_answer_of_a_request_satisfies_the_constraint_after_a_hand_off_too()
    {
        await using WorkerUnderTest prefill = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        await using WorkerUnderTest decode = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = Request(new Constraint { Regex = "AB[C-F]{3}(GH|IJ)" }, prefill.Address);
        request.Choices = 4;

        Answer answer = await Answer.AskAsync(decode, request);

        Assert.NotEqual("", answer.Started.PrefillWorker);
        Assert.All(Enumerable.Range(0, 4), choice => Assert.Matches("^AB[C-F]{3}(GH|IJ)$", answer.TextOf(choice)));
        Assert.All(answer.AllFinished, finished => Assert.Equal(FinishReason.Stop, finished.Reason));
        await decode.WaitUntilNothingIsHeldAsync();
    }

    [Fact]
    public async Task A_decode_worker_alone_holds_to_every_kind()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        Constraint forced = new()
        {
            Sequence = new ConstraintList
            {
                Items =
                {
                    new Constraint { Literal = "CALL" },
                    new Constraint { Alternatives = new ConstraintList { Items = { new Constraint { Regex = "[A-C]{2}" }, new Constraint { Literal = "XYZ" } } } },
                    new Constraint { Grammar = "root ::= \"EN\" \"D\"" },
                },
            },
        };
        Constraint free = new() { FreeText = new FreeText { Triggers = { new TextTrigger { Marker = "A", Then = new Constraint { Literal = "BC" } } }, Min = 1, Max = 1 } };
        CompletionRequest likely = Request(free);
        likely.Sampling.LogitBias.Add(new TokenBias { Id = 0, Bias = 6 });

        Assert.Matches("^CALL([A-C]{2}|XYZ)END$", (await Answer.AskAsync(worker, Request(forced))).Text);
        Assert.Matches("^[^A]*ABC$", (await Answer.AskAsync(worker, likely)).Text);
    }

    [Fact]
    public async Task Log_probabilities_stay_those_of_the_model()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = Request(new Constraint { Literal = "AB" });
        request.Sampling.Logprobs = 2;

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal("AB", answer.Text);
        Assert.All(answer.LogprobsOf(0), token => Assert.True(token.Token.Logprob < 0 && token.Token.Logprob <= token.Top[0].Logprob));
    }

    [Fact]
    public async Task What_only_the_models_vocabulary_shows_is_a_400_that_names_the_field()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);

        Answer unwritable = await Answer.AskAsync(worker, Request(new Constraint { Literal = "ä", Param = "guided_choice" }));
        Answer unknown = await Answer.AskAsync(worker, Request(new Constraint { SpecialToken = "[CALL]", Param = "tool_choice" }));

        Assert.Equal((400, "guided_choice"), (unwritable.Status, unwritable.Error!.Param));
        Assert.Equal((400, "tool_choice"), (unknown.Status, unknown.Error!.Param));
        Assert.Contains("[CALL]", unknown.Error.Message);
        await worker.WaitUntilNothingIsHeldAsync();
    }

    private static CompletionRequest Request(Constraint constraint, string? prefillAddress = null)
    {
        CompletionRequest request = HandOffTests.Request(prefillAddress);
        request.Constraint = constraint;
        request.Sampling.Temperature = 1;
        request.Stop.MaxTokens = 30;
        return request;
    }
}
