using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serving.Contracts.Internal;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>Reads the body of <c>POST /v1/responses</c> field by field, and refuses by name what it cannot honour.</summary>
internal sealed class ResponseRequestReader(StoredResponses stored, TimeProvider time)
{
    private const string PreviousField = "previous_response_id";
    private const int IdLengthMax = 64;
    private const int MaxTokensMin = 16;
    private const int TopLogprobsMax = 20;

    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _whenNeutral =
    [
        ("context_management", UnsupportedFields.IsEmptyArray),
        ("conversation", _ => false),
        ("moderation", _ => false),
        ("personality", _ => false),
        ("prompt", _ => false),
        ("truncation", value => RequestFields.IsText(value, "disabled")),
    ];

    /// <summary>The request; it means nothing once one of the fields is at fault.</summary>
    /// <param name="tenant">Whose stored responses it may refer to.</param>
    public async ValueTask<ResponseRequest?> ReadAsync(RequestFields fields, string tenant, CancellationToken cancellationToken)
    {
        var id = ResponseId.New(time.GetUtcNow());
        var model = ModelReader.Read(fields);
        using var before = await ReadPreviousAsync(fields, tenant, cancellationToken);
        var prompt = ResponsePrompt.Read(fields, id, before?.RootElement);
        var sampling = SamplingReader.Read(fields);
        ReadLogprobs(fields, sampling);
        var stop = StopReader.Read(fields, fields.Integer("max_output_tokens", MaxTokensMin, int.MaxValue));
        var constraint = ReadText(fields);
        var (stream, _) = StreamingReader.Read(fields);
        var cacheSalt = CacheSaltReader.Read(fields);
        var (priority, tier) = PriorityReader.Read(fields);
        var isStored = fields.Boolean("store") ?? true;
        var isBackground = ReadBackground(fields, isStored, stream);
        fields.Integer("max_tool_calls", 1, int.MaxValue);
        UnsupportedFields.Check(fields);
        UnsupportedFields.Check(fields, _whenNeutral);
        var settings = fields.Error is null ? Settings(fields, tier) : null;
        if (settings is null || fields.Error is not null)
        {
            return null;
        }

        var profile = new GenerationProfile
        {
            Model = model,
            Prompts = [Prompt.Of(prompt.Chat, "input")],
            Sampling = sampling,
            Stop = stop,
            Priority = priority,
            CacheSalt = cacheSalt,
            Tools = prompt.Tools.Parameters,
            Constraint = constraint,
        };
        return new ResponseRequest(id, profile, settings, isStored ? Encoding.UTF8.GetBytes(prompt.Items.ToJsonString(ApiJson.Nodes)) : null)
        {
            IsStream = stream,
            IsBackground = isBackground,
        };
    }

    /// <summary>What <c>POST /v1/responses/input_tokens</c> counts.</summary>
    public async ValueTask<TokenizeRequest> ReadCountAsync(RequestFields fields, string tenant, CancellationToken cancellationToken)
    {
        using var before = await ReadPreviousAsync(fields, tenant, cancellationToken);
        ReadText(fields);
        UnsupportedFields.Check(fields, _whenNeutral);
        return new TokenizeRequest { Chat = ResponsePrompt.Read(fields, ResponseId.New(time.GetUtcNow()), before?.RootElement).Chat };
    }

    /// <summary>The items of the response before, its answer among them; null: there is none.</summary>
    private async ValueTask<JsonDocument?> ReadPreviousAsync(RequestFields fields, string tenant, CancellationToken cancellationToken)
    {
        if (fields.Text(PreviousField, IdLengthMax) is not { } previous)
        {
            return null;
        }

        var items = await stored.ItemsAfterAsync(tenant, previous, cancellationToken);
        if (items is null)
        {
            fields.Fail(PreviousField, $"names '{previous}', and there is no finished response of this name: it was never stored, has expired or was deleted.", "previous_response_not_found");
        }

        return items;
    }

    private static void ReadLogprobs(RequestFields fields, SamplingParameters sampling)
    {
        var top = (int?)fields.Integer("top_logprobs", 0, TopLogprobsMax) ?? 0;
        if (ResponseInclude.Read(fields) || top > 0)
        {
            sampling.Logprobs = top;
        }
    }

    /// <summary>What the answer's text must be, or null.</summary>
    private static Constraint? ReadText(RequestFields fields)
    {
        const string field = "text";
        if (fields.Object(field) is not { } text)
        {
            return null;
        }

        if (text.TryGetProperty("verbosity", out var verbosity) && verbosity.ValueKind != JsonValueKind.Null && !RequestFields.IsText(verbosity, "medium"))
        {
            UnsupportedFields.Refuse(fields, $"{field}.verbosity");
        }

        return text.TryGetProperty("format", out var format) && format.ValueKind != JsonValueKind.Null
            && ConstraintReader.ReadFlatFormat(fields, $"{field}.format", format) is { } constraint && fields.Error is null
            ? ConstraintReader.Check(fields, constraint)
            : null;
    }

    private static bool ReadBackground(RequestFields fields, bool isStored, bool stream)
    {
        var isBackground = fields.Boolean("background") ?? false;
        if (isBackground && !isStored)
        {
            fields.Fail("background", "needs 'store': what nobody waits for is fetched later.");
        }

        if (isBackground && stream)
        {
            fields.Fail("background", "cannot be streamed here: ask for the response with GET until it is done.", "unsupported_parameter");
        }

        return isBackground;
    }

    private static ResponseSettings Settings(RequestFields fields, string? tier)
    {
        var settings = new ResponseSettings();
        settings.Add(fields, "background", "false");
        settings.Add(fields, "instructions");
        settings.Add(fields, "max_output_tokens");
        settings.Add(fields, "max_tool_calls");
        settings.Add(fields, "metadata", "{}");
        settings.Add(fields, "parallel_tool_calls", "true");
        settings.Add(fields, PreviousField);
        settings.Add(fields, "prompt_cache_key");
        settings.Add(fields, "reasoning", """{"effort":null,"summary":null}""");
        settings.Add(fields, "safety_identifier");
        settings.Add("service_tier", $"\"{tier ?? "default"}\"");
        settings.Add(fields, "store", "true");
        settings.Add(fields, "temperature");
        settings.Add(fields, "text", """{"format":{"type":"text"}}""");
        settings.Add(fields, "tool_choice", "\"auto\"");
        settings.Add("tools", Tools(fields));
        settings.Add(fields, "top_logprobs", "0");
        settings.Add(fields, "top_p");
        settings.Add("truncation", "\"disabled\"");
        if (fields.TryGet("user", out _))
        {
            settings.Add(fields, "user");
        }

        return settings;
    }

    /// <summary>The tools, with the members that each has in a response, sent or not.</summary>
    private static string Tools(RequestFields fields)
    {
        if (!fields.TryGet("tools", out var tools))
        {
            return "[]";
        }

        if (ApiJson.Compact(tools) is not { } json)
        {
            fields.Fail("tools", "has half of a surrogate pair: its text is no valid Unicode.");
            return "[]";
        }

        var shown = JsonNode.Parse(json)!.AsArray();
        foreach (var tool in shown)
        {
            tool!.AsObject().TryAdd("strict", null);
            tool.AsObject().TryAdd("parameters", null);
        }

        return shown.ToJsonString(ApiJson.Nodes);
    }
}
