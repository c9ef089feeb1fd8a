using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Configuration;
using Serving.Gateway.Files;
using Serving.Gateway.Http;
using Serving.Gateway.Lists;
using Serving.Gateway.Security;

namespace Serving.Gateway.Batches;

/// <summary><c>/v1/batches</c>.</summary>
internal sealed class BatchesApi(
    BatchStore batches, BatchRunner runner, BatchLines lines, FileStore files, IOptions<GatewayOptions> gateway, IOptions<BatchOptions> options, TimeProvider time)
{
    private const int LimitDefault = 20;
    private const int LimitMax = 100;

    private static readonly TimeSpan _window = TimeSpan.FromHours(24);

    /// <summary>Texts keep their quotes and umlauts.</summary>
    private static readonly BatchJson _json = new(new JsonSerializerOptions(BatchJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = null,
    });

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/batches");
        group.MapPost("", static (HttpContext context, BatchesApi api) => api.CreateAsync(context));
        group.MapGet("", static (HttpContext context, BatchesApi api) => api.ListAsync(context));
        group.MapGet("/{id}", static (string id, HttpContext context, BatchesApi api) => api.GetAsync(id, context));
        group.MapPost("/{id}/cancel", static (string id, HttpContext context, BatchesApi api) => api.CancelAsync(id, context));
    }

    private async Task<IResult> CreateAsync(HttpContext context)
    {
        var (request, error) = await JsonBody.ReadAsync(
            context, gateway.Value.BodyBytesMax, fields => ValueTask.FromResult<BatchRequest?>(BatchRequestReader.Read(fields, lines.Routes, files.Retention)));
        if (request is null)
        {
            return error!;
        }

        var tenant = Tenant.NameOf(context);
        if (Check(request, await files.GetAsync(tenant, request.InputFileId)) is { } refusal)
        {
            return refusal;
        }

        var now = time.GetUtcNow();
        var batch = new OpenAiBatch
        {
            Id = batches.NewId(),
            Endpoint = request.Endpoint,
            InputFileId = request.InputFileId,
            CompletionWindow = request.CompletionWindow,
            Status = OpenAiBatchStatus.Validating,
            CreatedAt = now.ToUnixTimeSeconds(),
            ExpiresAt = (now + _window).ToUnixTimeSeconds(),
            Metadata = request.Metadata,
        };
        if (await batches.AddAsync(tenant, new BatchRecord(batch, request.OutputLifeSeconds)) is { } noRoom)
        {
            return noRoom;
        }

        runner.Wake();
        return Show(batch);
    }

    private ApiError? Check(BatchRequest request, OpenAiFile? file) =>
        file is null ? ApiError.Invalid($"'input_file_id' names no file: there is no '{request.InputFileId}'.", "input_file_id")
        : file.Purpose != FileStore.BatchPurpose ? ApiError.Invalid($"'input_file_id' names a file with the purpose {file.Purpose}: send it with the purpose batch.", "input_file_id")
        : file.Bytes > options.Value.InputBytesMax ? ApiError.Invalid($"'input_file_id' names a file of {file.Bytes} bytes; a batch may have {options.Value.InputBytesMax}: split it.", "input_file_id")
        : null;

    private async Task<IResult> ListAsync(HttpContext context)
    {
        var query = new QueryFields(context.Request);
        var page = ListQuery.Read(query, LimitDefault, LimitMax, isDescendingDefault: true);
        if (query.Error is { } error)
        {
            return error;
        }

        var found = await batches.ListAsync(Tenant.NameOf(context), page);
        return Results.Json(StoredList.Of([.. found.Entries.Select(entry => entry.Value.Shown)], found), _json.OpenAiBatchList);
    }

    private async Task<IResult> GetAsync(string id, HttpContext context) =>
        await batches.GetAsync(Tenant.NameOf(context), id) is { } batch ? Show(batch.Shown) : ApiError.NotFound("batch", id);

    private async Task<IResult> CancelAsync(string id, HttpContext context)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var batch = await batches.UpdateAsync(Tenant.NameOf(context), id, current => !current.CanBeCancelled ? null : current with
        {
            Shown = current.Shown with { Status = OpenAiBatchStatus.Cancelling, CancellingAt = now },
        });
        if (batch is null)
        {
            return ApiError.NotFound("batch", id);
        }

        runner.Wake();
        return batch.Shown.Status is OpenAiBatchStatus.Cancelling or OpenAiBatchStatus.Cancelled
            ? Show(batch.Shown)
            : ApiError.Invalid($"The batch '{id}' is {batch.Shown.Status}: there is nothing left to cancel.", code: "batch_not_cancellable", status: StatusCodes.Status409Conflict);
    }

    private static IResult Show(OpenAiBatch batch) => Results.Json(batch, _json.OpenAiBatch);
}
