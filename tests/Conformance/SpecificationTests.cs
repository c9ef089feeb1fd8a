using System.Text.Json;
using Serving.EndToEnd;

namespace Serving.Conformance;

/// <summary>OpenAI's own specification (Specification/openai-openapi.yaml.gz, MIT, version 2.3.0 of 2026-08-21) against a running platform.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class SpecificationTests(SharedPlatform shared)
{
    /// <summary>Fields that are refused with some value that the specification admits: each has its row in docs/openai-compatibility.md.</summary>
    private static readonly Dictionary<string, string> _refused = new()
    {
        ["POST /chat/completions"] = "audio function_call functions modalities moderation prompt_cache_options prompt_cache_retention reasoning_effort response_format seed service_tier stream_options tool_choice tools"
            + " top_logprobs top_p verbosity web_search_options",
        ["POST /completions"] = "prompt stream_options suffix top_p",
        ["POST /responses"] = "context_management conversation input moderation previous_response_id prompt prompt_cache_options prompt_cache_retention reasoning service_tier stream_options text tool_choice tools top_p truncation",
        ["POST /responses/input_tokens"] = "conversation input personality previous_response_id reasoning text tool_choice tools truncation",
        ["GET /responses/{response_id}"] = "include_obfuscation starting_after stream",
        ["GET /responses/{response_id}/input_items"] = "after",
        ["GET /chat/completions/{completion_id}/messages"] = "after",
        ["GET /files"] = "purpose",
        ["POST /batches"] = "endpoint input_file_id",
    };

    [Fact]
    public async Task Every_field_of_every_operation_is_honoured_or_refused_by_its_name_and_every_answer_validates()
    {
        JsonElement report = await Node.RunAsync("Conformance", new Uri(shared.Platform.BaseAddress, "/v1"), "cases.mjs");

        Assert.Empty(report.GetProperty("failures").EnumerateArray().Select(failure => failure.GetRawText()));
        IEnumerable<string> documented = _refused.SelectMany(operation => operation.Value.Split(' ').Select(field => $"{operation.Key} {field}"));
        Assert.Equal(documented.Order(), report.GetProperty("refused").EnumerateObject().Select(refused => refused.Name).Order());
        Assert.True(report.GetProperty("cases").GetInt32() >= 590, report.GetRawText());
        Assert.True(report.GetProperty("accepted").GetInt32() >= 390, report.GetRawText());
    }
}
