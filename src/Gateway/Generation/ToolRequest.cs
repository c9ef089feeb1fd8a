using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>What a request says of tools.</summary>
/// <param name="Json">Definitions for the chat template; empty: the model does not hear of any.</param>
/// <param name="Parameters">Null: nothing is called.</param>
internal sealed record ToolRequest(ByteString Json, ToolParameters? Parameters)
{
    /// <summary>A function whose parameters are left out has none.</summary>
    private const string NoParameters = """{"type":"object","properties":{},"additionalProperties":false}""";

    public static ToolRequest None { get; } = new(ByteString.Empty, null);

    /// <summary>Puts together which functions there are, which of them may be called, and how.</summary>
    /// <param name="json">The definitions of all functions, as the chat template reads them.</param>
    /// <param name="isSingle">The answer ends with its first call.</param>
    public static ToolRequest Of(RequestFields fields, IReadOnlyList<ToolFunction> functions, ReadOnlySpan<byte> json, ToolChoice choice, bool isSingle)
    {
        if (functions.Count == 0 || choice.Functions.Count == 0 || fields.Error is not null)
        {
            // Without a choice, tools are not shown either: a model that sees some calls them.
            return None;
        }

        var parameters = new ToolParameters { SingleCall = isSingle || choice.IsSingle, IsRequired = choice.IsRequired };
        parameters.Functions.AddRange(choice.Functions);
        var callable = functions.Where(function => choice.Functions.Contains(function.Name)).ToDictionary(function => function.Name);
        if (choice.IsRequired || callable.Values.Any(function => function.IsStrict))
        {
            parameters.Arguments.AddRange(choice.Functions.Select(name => ArgumentsOf(fields, callable[name], choice.IsRequired)));
        }

        return new ToolRequest(ByteString.CopyFrom(json), parameters);
    }

    /// <summary>
    /// What the arguments of a function are held to: its schema where it is strict, and where a call is required and the schema can be held; any object
    /// otherwise.
    /// </summary>
    private static Constraint ArgumentsOf(RequestFields fields, ToolFunction function, bool isRequired)
    {
        var schema = new Constraint { JsonSchema = function.Schema ?? NoParameters };
        if (function.IsStrict && ConstraintReader.FindFault(schema) is { } fault)
        {
            fields.Fail($"{function.Path}.{function.SchemaField}{fault.Path}", fault.Reason, "invalid_value");
        }

        return function.IsStrict || (isRequired && ConstraintReader.FindFault(schema) is null) ? schema : new Constraint { JsonObject = new AnyJsonObject() };
    }
}
