using System.Text.Json.Nodes;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Gateway.Lists;
using Serving.Gateway.Security;
using Serving.Gateway.Tokens;

namespace Serving.Gateway.Responses;

/// <summary><c>/v1/responses</c>: responses made, kept and gone on with.</summary>
internal sealed class ResponsesApi(GenerationPipeline pipeline, ResponseRequestReader reader, StoredResponses stored, BackgroundResponses background, TimeProvider time)
{
    private const int LimitDefault = 20;
    private const int LimitMax = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var responses = routes.MapGroup("/v1/responses");
        responses.MapPost("", static (HttpContext context, ResponsesApi api) => api.CreateAsync(context));
        responses.MapPost("/input_tokens", static (HttpContext context, ResponseRequestReader reader, TokensApi tokens) => CountAsync(context, reader, tokens));
        responses.MapGet("/{id}", static (string id, HttpContext context, ResponsesApi api) => api.GetAsync(id, context));
        responses.MapDelete("/{id}", static (string id, HttpContext context, ResponsesApi api) => api.DeleteAsync(id, context));
        responses.MapPost("/{id}/cancel", static (string id, HttpContext context, ResponsesApi api) => api.CancelAsync(id, context));
        responses.MapGet("/{id}/input_items", static (string id, HttpContext context, ResponsesApi api) => api.ListItemsAsync(id, context));
    }

    /// <summary>What a line of a batch asks for: its answer is waited for there, and comes whole.</summary>
    public async ValueTask<GenerationRequest?> ReadAsync(RequestFields fields, string tenant, CancellationToken cancellationToken)
    {
        var request = await reader.ReadAsync(fields, tenant, cancellationToken);
        if (request is { IsBackground: true })
        {
            fields.Fail("background", "is not possible in a batch: leave it out.");
        }

        return request is null ? null : Generation(request, tenant);
    }

    private static Task CountAsync(HttpContext context, ResponseRequestReader reader, TokensApi tokens) => tokens.CountAsync(
        context,
        fields => reader.ReadCountAsync(fields, Tenant.NameOf(context), context.RequestAborted),
        "input",
        static (json, count) =>
        {
            json.WriteString("object"u8, "response.input_tokens"u8);
            json.WriteNumber("input_tokens"u8, count);
        });

    private async Task CreateAsync(HttpContext context)
    {
        var arrivedAt = time.GetTimestamp();
        var tenant = Tenant.NameOf(context);
        var (request, error) = await pipeline.ReadAsync(context, fields => reader.ReadAsync(fields, tenant, context.RequestAborted));
        if (request is { IsBackground: true })
        {
            (var started, error) = await background.StartAsync(request, context);
            if (started is not null)
            {
                await Results.Json<JsonNode>(started, ApiJson.OpenAi.JsonNode).ExecuteAsync(context);
                return;
            }
        }

        await (error is null
            ? pipeline.AnswerAsync(context, Generation(request!, tenant), CallOrigin.ChatOperation, arrivedAt)
            : pipeline.RefuseAsync(context, error, request?.Profile.Model, CallOrigin.ChatOperation, arrivedAt));
    }

    private GenerationRequest Generation(ResponseRequest request, string tenant) => new(request.Profile, stamp => Renderer(request, tenant, stamp))
    {
        Admit = request.Items is { } items ? () => stored.CheckRoomAsync(tenant, items.Length) : null,
    };

    private IAnswerRenderer Renderer(ResponseRequest request, string tenant, AnswerStamp stamp)
    {
        var json = new ResponseJson(request.Id, stamp, request.Settings, time);
        var stream = request.IsStream ? new ResponseStreamRenderer(json) : null;
        if (request.Items is not { } items)
        {
            return stream is null ? new ResponseRenderer(json) : stream;
        }

        var whole = new ResponseRenderer(json);
        return new KeepingRenderer(
            whole, stream, (body, cancellationToken) => stored.AddAsync(tenant, request.Id, whole.Status, body, items, cancellationToken));
    }

    private async Task<IResult> GetAsync(string id, HttpContext context)
    {
        var query = new QueryFields(context.Request);
        var hasLogprobs = ResponseInclude.Read(query);
        foreach (var name in new[] { "stream", "include_obfuscation" })
        {
            if (query.Boolean(name) == true)
            {
                query.Fail(name, "is not supported: a stored response is given whole.", "unsupported_parameter");
            }
        }

        if (query.Text("starting_after") is not null)
        {
            query.Fail("starting_after", "is a place in a stream, and a stored response is given whole.", "unsupported_parameter");
        }

        if (query.Error is { } error)
        {
            return error;
        }

        var response = await background.GetAsync(Tenant.NameOf(context), id, context.RequestAborted);
        return response is not null && hasLogprobs && !ResponseInclude.HasLogprobs(response)
            ? ApiError.Invalid($"'include' asks for log probabilities, and '{id}' was made without them.", "include")
            : Show(id, response);
    }

    private async Task<IResult> CancelAsync(string id, HttpContext context)
    {
        var response = await background.GetAsync(Tenant.NameOf(context), id, context.RequestAborted);
        if (response is not null && !(bool)response["background"]!)
        {
            return ApiError.Invalid($"'{id}' does not run in the background: only what does can be cancelled.", "id");
        }

        return Show(id, response is null ? null : await background.CancelAsync(Tenant.NameOf(context), id, context.RequestAborted));
    }

    private async Task<IResult> DeleteAsync(string id, HttpContext context) =>
        await stored.DeleteAsync(Tenant.NameOf(context), id)
            ? Results.Json(new OpenAiDeleted(id, "response"), OpenAiJson.Default.OpenAiDeleted)
            : NotFound(id);

    private async Task<IResult> ListItemsAsync(string id, HttpContext context)
    {
        var query = new QueryFields(context.Request);
        var page = ListQuery.Read(query, LimitDefault, LimitMax, isDescendingDefault: true);
        ResponseInclude.Read(query);
        if (query.Error is { } error)
        {
            return error;
        }

        if (await stored.ItemsAsync(Tenant.NameOf(context), id, context.RequestAborted) is not { } all)
        {
            return NotFound(id);
        }

        var items = (page.Descending ? all.Reverse() : all).ToList();
        if (page.After is { } after)
        {
            var place = items.FindIndex(item => Id(item) == after);
            if (place < 0)
            {
                return ApiError.Invalid($"'after' must be the id of an item that '{id}' answers.", "after");
            }

            items.RemoveRange(0, place + 1);
        }

        var shown = items.Take(page.Limit).ToList();
        return Results.Json(
            new OpenAiList<JsonNode>([.. shown!], shown is [var first, ..] ? Id(first) : "", shown is [.., var last] ? Id(last) : "", items.Count > shown.Count),
            ApiJson.OpenAi.JsonNodeList);
    }

    private static IResult Show(string id, JsonObject? response) =>
        response is null ? NotFound(id) : Results.Json<JsonNode>(response, ApiJson.OpenAi.JsonNode);

    private static string Id(JsonNode? item) => (string)item!["id"]!;

    private static ApiError NotFound(string id) => ApiError.NotFound("stored response", id);
}
