using Serving.Contracts.Internal;
using Serving.Text.Templates;
using Serving.Text.Tokenization;
using Serving.Text.ToolCalls;
using Serving.Worker.Models;
using Serving.Worker.Tests.HandOff;

namespace Serving.Worker.Tests.Models;

public sealed class PromptEncoderTests
{
    [Theory]
    [InlineData("a", "high", "effort")]
    [InlineData("a", "none", null)]
    [InlineData("a", null, null)]
    [InlineData("{{ 'b' if enable_thinking else 'a' }}", "high", null)]
    [InlineData("{{ raise_exception('low or high') if reasoning_effort == 'medium' }}", "medium", "messages")]
    public void An_effort_of_reasoning_that_the_template_cannot_tell_is_refused_by_name(string source, string? effort, string? param)
    {
        ITokenizer tokenizer = WorkerUnderTest.LetterTokenizer(64);
        ChatTemplate template = ChatTemplate.Parse(source);
        PromptEncoder encoder = new(tokenizer, template, AnswerFormat.Of(tokenizer, source), bosToken: null, eosToken: null, TimeProvider.System);

        RequestError? error = encoder.Encode(new ChatPrompt
        {
            MessagesJson = Google.Protobuf.ByteString.CopyFromUtf8("[]"),
            ReasoningEffort = effort is null ? null : new ReasoningEffort { Value = effort, Param = "effort" },
        }).Error;

        Assert.Equal((param, param is null ? 0 : 400), (error?.Param, error?.Status ?? 0));
    }
}
