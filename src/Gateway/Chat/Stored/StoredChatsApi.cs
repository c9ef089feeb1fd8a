using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Configuration;
using Serving.Gateway.Http;
using Serving.Gateway.Lists;
using Serving.Gateway.Models;
using Serving.Gateway.Security;

namespace Serving.Gateway.Chat.Stored;

/// <summary>What <c>store</c> has kept of <c>/v1/chat/completions</c>.</summary>
internal static class StoredChatsApi
{
    private const int LimitDefault = 20;
    private const int LimitMax = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var chats = routes.MapGroup("/v1/chat/completions");
        chats.MapGet("", ListAsync);
        chats.MapGet("/{id}", GetAsync);
        chats.MapPost("/{id}", LabelAsync);
        chats.MapDelete("/{id}", DeleteAsync);
        chats.MapGet("/{id}/messages", MessagesAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, StoredChats chats, ModelDirectory models)
    {
        var query = new QueryFields(context.Request);
        var page = ListQuery.Read(query, LimitDefault, LimitMax, isDescendingDefault: false);
        var (name, labels) = (query.Text("model"), query.Pairs("metadata"));
        if (query.Error is { } error)
        {
            return error;
        }

        // An alias finds what its model answered; a model that is no longer served is found by its own name.
        var model = name is null ? null : models.Resolve(name).Model?.Name ?? name;
        var (found, completions) = await chats.ListAsync(Tenant.NameOf(context), page, model, labels, context.RequestAborted);
        return Results.Json(StoredList.Of(completions, found), ApiJson.OpenAi.JsonNodeList);
    }

    private static async Task<IResult> GetAsync(string id, HttpContext context, StoredChats chats) =>
        Show(id, await chats.GetAsync(Tenant.NameOf(context), id, context.RequestAborted));

    private static async Task<IResult> LabelAsync(string id, HttpContext context, StoredChats chats, IOptions<GatewayOptions> options)
    {
        var (metadata, error) = await JsonBody.ReadAsync(context, options.Value.BodyBytesMax, fields =>
        {
            if (!fields.Has("metadata"))
            {
                fields.Fail("metadata", "is missing: it is what can be changed of a stored completion; null takes all labels away.");
            }

            return ValueTask.FromResult<Dictionary<string, string>?>(MetadataReader.Read(fields));
        });
        return metadata is null ? error! : Show(id, await chats.LabelAsync(Tenant.NameOf(context), id, metadata, context.RequestAborted));
    }

    private static async Task<IResult> DeleteAsync(string id, HttpContext context, StoredChats chats) =>
        await chats.DeleteAsync(Tenant.NameOf(context), id)
            ? Results.Json(new OpenAiDeleted(id, "chat.completion.deleted"), OpenAiJson.Default.OpenAiDeleted)
            : NotFound(id);

    private static async Task<IResult> MessagesAsync(string id, HttpContext context, StoredChats chats)
    {
        var query = new QueryFields(context.Request);
        var page = ListQuery.Read(query, LimitDefault, LimitMax, isDescendingDefault: false);
        if (query.Error is { } error)
        {
            return error;
        }

        if (await chats.MessagesAsync(Tenant.NameOf(context), id, context.RequestAborted) is not { } messages)
        {
            return NotFound(id);
        }

        var order = Enumerable.Range(0, messages.Count);
        var places = (page.Descending ? order.Reverse() : order).ToList();
        if (page.After is { } after)
        {
            var place = places.FindIndex(index => StoredMessage.Id(id, index) == after);
            if (place < 0)
            {
                return ApiError.Invalid($"'after' must be the id of a message of '{id}'.", "after");
            }

            places.RemoveRange(0, place + 1);
        }

        var shown = places.Take(page.Limit).ToList();
        var list = new OpenAiList<JsonNode>(
            [.. shown.Select(index => StoredMessage.Show(id, index, messages[index]!))],
            shown is [var first, ..] ? StoredMessage.Id(id, first) : "",
            shown is [.., var last] ? StoredMessage.Id(id, last) : "",
            places.Count > shown.Count);
        return Results.Json(list, ApiJson.OpenAi.JsonNodeList);
    }

    private static IResult Show(string id, JsonObject? completion) =>
        completion is null ? NotFound(id) : Results.Json<JsonNode>(completion, ApiJson.OpenAi.JsonNode);

    private static ApiError NotFound(string id) => ApiError.NotFound("stored chat completion", id);
}
