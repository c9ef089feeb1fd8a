using System.Text.Json;
using Serving.EndToEnd;

namespace Serving.Conformance;

/// <summary>OpenAI's own specification (Specification/openai-openapi.yaml.gz, MIT, version 2.3.0 of 2026-08-21) against a running platform.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class SpecificationTests(SharedPlatform shared)
{
    /// <summary>Parameters that are refused with some value that the specification admits: each has its row in docs/openai-compatibility.md.</summary>
    private static readonly string[] _refused =
    [
        "/chat/completions audio", "/chat/completions function_call", "/chat/completions functions", "/chat/completions modalities", "/chat/completions moderation",
        "/chat/completions prompt_cache_retention", "/chat/completions reasoning_effort", "/chat/completions response_format", "/chat/completions seed", "/chat/completions service_tier",
        "/chat/completions stream_options", "/chat/completions tool_choice", "/chat/completions tools", "/chat/completions top_logprobs", "/chat/completions top_p",
        "/chat/completions verbosity", "/chat/completions web_search_options",
        "/completions stream_options", "/completions suffix", "/completions top_p",
        "/responses context_management", "/responses conversation", "/responses input", "/responses moderation", "/responses previous_response_id", "/responses prompt",
        "/responses prompt_cache_retention", "/responses reasoning", "/responses service_tier", "/responses stream_options", "/responses text", "/responses tool_choice",
        "/responses tools", "/responses top_p", "/responses truncation",
    ];

    [Fact]
    public async Task Every_parameter_of_every_route_is_honoured_or_refused_by_its_name_and_every_answer_validates()
    {
        JsonElement report = await Node.RunAsync("Conformance", shared.Platform, "cases.mjs");

        Assert.Empty(report.GetProperty("failures").EnumerateArray().Select(failure => failure.GetRawText()));
        Assert.Equal([], report.GetProperty("refused").EnumerateObject().Select(refused => refused.Name).Except(_refused));
        Assert.True(report.GetProperty("cases").GetInt32() >= 250, report.GetRawText());
        Assert.True(report.GetProperty("accepted").GetInt32() >= 180, report.GetRawText());
    }
}
