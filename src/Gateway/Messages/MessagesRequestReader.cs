using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Messages;

/// <summary>Reads the body of Anthropic's <c>POST /v1/messages</c> field by field, and refuses by name what it cannot honour.</summary>
internal static class MessagesRequestReader
{
    private const string SequencesField = "stop_sequences";
    private const int SequencesMax = 64;
    private const int LabelLengthMax = 1024;

    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _whenNeutral =
    [
        ("container", _ => false),
        ("context_management", UnsupportedFields.IsEmptyObject),
        ("inference_geo", value => RequestFields.IsText(value, "global")),
        ("mcp_servers", UnsupportedFields.IsEmptyArray),
        ("speed", value => RequestFields.IsText(value, "standard")),
    ];

    public static GenerationRequest? Read(RequestFields fields)
    {
        var model = ModelReader.Read(fields);
        var prompt = ReadPrompt(fields, out var tools);
        if (fields.Integer("max_tokens", 1, int.MaxValue) is not { } maxTokens)
        {
            fields.Fail("max_tokens", "is missing: say how many tokens the answer may have.");
            maxTokens = 1;
        }

        if (fields.TryGet(SequencesField, out var sequences) && sequences.ValueKind != JsonValueKind.Array)
        {
            fields.Fail(SequencesField, $"must be an array of strings, not {RequestFields.Kind(sequences)}.");
        }

        var sampling = SamplingReader.Read(fields, temperatureMax: 1);
        var stop = StopReader.Read(fields, maxTokens, SequencesField, SequencesMax);
        var constraint = ReadFormat(fields);
        var stream = fields.Boolean("stream") ?? false;
        var cacheSalt = CacheSaltReader.Read(fields);
        CheckLabels(fields);
        UnsupportedFields.Check(fields, _whenNeutral);
        if (fields.Error is not null)
        {
            return null;
        }

        var profile = new GenerationProfile
        {
            Model = model,
            Prompts = [Prompt.Of(prompt, "messages")],
            Sampling = sampling,
            Stop = stop,
            CacheSalt = cacheSalt,
            Tools = tools.Parameters,
            Constraint = constraint,
        };
        return new GenerationRequest(profile, stamp => stream ? new MessageStreamRenderer(stamp) : new MessageRenderer(stamp));
    }

    /// <summary>What <c>POST /v1/messages/count_tokens</c> counts.</summary>
    public static TokenizeRequest ReadCount(RequestFields fields)
    {
        var request = new TokenizeRequest { Chat = ReadPrompt(fields, out _) };
        ReadFormat(fields);
        UnsupportedFields.Check(fields, _whenNeutral);
        return request;
    }

    private static ChatPrompt ReadPrompt(RequestFields fields, out ToolRequest tools)
    {
        using var conversation = new Conversation(fields, "tool_result");
        MessagesReader.Read(fields, conversation);
        tools = MessagesToolsReader.Read(fields);
        return new ChatPrompt
        {
            MessagesJson = conversation.ToJson(),
            ToolsJson = tools.Json,
            TemplateArgumentsJson = ReadThinking(fields),
            AddGenerationPrompt = true,
            ReasoningEffort = ReadEffort(fields),
        };
    }

    /// <summary>Whether the model is to think aloud, as a variable of the chat template.</summary>
    private static ByteString ReadThinking(RequestFields fields)
    {
        var arguments = TemplateArgumentsReader.Read(fields);
        if (!fields.TryGet("thinking", out var thinking))
        {
            return arguments;
        }

        var type = thinking.ValueKind == JsonValueKind.Object && thinking.TryGetProperty("type", out var value) ? value : default;
        if (RequestFields.IsText(type, "enabled"))
        {
            fields.Fail("thinking.budget_tokens", "cannot be held: send {\"type\": \"adaptive\"}, with which the model thinks as long as it likes.", "unsupported_parameter");
        }
        else if (!RequestFields.IsText(type, "adaptive", "disabled"))
        {
            fields.Fail("thinking", "must be an object of the type adaptive or disabled.");
        }

        var variables = (arguments.Length > 0 ? JsonNode.Parse(arguments.Span) : new JsonObject())!.AsObject();
        variables["enable_thinking"] = RequestFields.IsText(type, "adaptive");
        return ByteString.CopyFromUtf8(variables.ToJsonString());
    }

    /// <summary>What the answer's text must be (<c>output_config.format</c>), or null.</summary>
    private static Constraint? ReadFormat(RequestFields fields)
    {
        if (fields.Object("output_config") is not { } config || !config.TryGetProperty("format", out var format) || format.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (format.ValueKind != JsonValueKind.Object
            || !format.TryGetProperty("type", out var type)
            || !RequestFields.IsText(type, "json_schema")
            || !format.TryGetProperty("schema", out var schema))
        {
            fields.Fail("output_config.format", "must be an object of the type json_schema with a 'schema'.");
            return null;
        }

        return ConstraintReader.Check(fields, new Constraint { JsonSchema = schema.GetRawText(), Param = "output_config.format.schema" });
    }

    /// <summary>How much the model is to reason (<c>output_config.effort</c>).</summary>
    private static ReasoningEffort? ReadEffort(RequestFields fields) =>
        fields.Object("output_config") is { } config ? ReasoningEffortReader.ReadOf(fields, "output_config", config) : null;

    private static void CheckLabels(RequestFields fields)
    {
        if (fields.Object("metadata") is { } metadata
            && metadata.TryGetProperty("user_id", out var user)
            && user.ValueKind != JsonValueKind.Null
            && fields.Text("metadata.user_id", user)?.Length > LabelLengthMax)
        {
            fields.Fail("metadata.user_id", $"must have at most {LabelLengthMax} characters.");
        }

        if (fields.TryGet("service_tier", out var tier) && !RequestFields.IsText(tier, "auto", "standard_only"))
        {
            fields.Fail("service_tier", "must be auto or standard_only.");
        }
    }
}
