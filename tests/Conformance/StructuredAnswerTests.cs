using System.Text.Json;
using Serving.EndToEnd;

namespace Serving.Conformance;

/// <summary>Answers of a small model to 200 schemas of rising difficulty, at temperature 1.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class StructuredAnswerTests(SharedPlatform shared)
{
    private const int Schemas = 200;

    [Fact]
    public async Task Every_answer_that_stops_validates_under_ajv_and_nearly_all_stop()
    {
        JsonElement report = await Node.RunAsync("Conformance", new Uri(shared.Platform.BaseAddress, "/v1"), "schemas.mjs");

        Assert.Empty(report.GetProperty("invalid").EnumerateArray().Select(problem => problem.GetString()));
        Assert.Equal(Schemas, report.GetProperty("stop").GetInt32() + report.GetProperty("length").GetInt32());
        Assert.InRange(report.GetProperty("stop").GetInt32(), Schemas * 95 / 100, Schemas);
    }
}
