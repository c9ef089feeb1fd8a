using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads how much the model is to reason. Whether it can be told so only its chat template knows, and with it the worker.</summary>
internal static class ReasoningEffortReader
{
    private static readonly string[] _efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

    /// <summary>Null: nothing is asked for, and the template's default holds.</summary>
    public static ReasoningEffort? Read(RequestFields fields, string field) => fields.TryGet(field, out var value) ? Read(fields, field, value) : null;

    /// <summary>The same of the member <c>effort</c> of the object that was found at <paramref name="field"/>.</summary>
    public static ReasoningEffort? ReadOf(RequestFields fields, string field, JsonElement parent) =>
        parent.TryGetProperty("effort", out var value) && value.ValueKind != JsonValueKind.Null ? Read(fields, $"{field}.effort", value) : null;

    private static ReasoningEffort? Read(RequestFields fields, string field, JsonElement value)
    {
        if (RequestFields.IsText(value, _efforts))
        {
            return new ReasoningEffort { Value = value.GetString(), Param = field };
        }

        fields.Fail(field, $"must be one of {string.Join(", ", _efforts)}.");
        return null;
    }
}
