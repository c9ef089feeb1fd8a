using Serving.Contracts.OpenAI;
using Serving.Gateway.Http;
using Serving.Gateway.Lists;
using Serving.Gateway.Security;

namespace Serving.Gateway.Files;

/// <summary><c>/v1/files</c>.</summary>
internal static class FilesApi
{
    private const int ListLimitMax = 10_000;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var files = routes.MapGroup("/v1/files");
        files.MapPost("", CreateAsync);
        files.MapGet("", ListAsync);
        files.MapGet("/{id}", GetAsync);
        files.MapDelete("/{id}", DeleteAsync);
        files.MapGet("/{id}/content", ReadAsync);
    }

    private static async Task<IResult> CreateAsync(HttpContext context, FileStore files)
    {
        await using var upload = new FileUpload(files, Tenant.NameOf(context), files.NewId());
        var (file, error) = await upload.ReadAsync(context.Request, context.RequestAborted);
        return file is null ? error! : Json(file);
    }

    private static async Task<IResult> ListAsync(HttpContext context, FileStore files)
    {
        var query = new QueryFields(context.Request);
        var purpose = query.Text("purpose");
        var page = ListQuery.Read(query, limitDefault: ListLimitMax, ListLimitMax, isDescendingDefault: true);
        if ((query.Error ?? FilePurpose.CheckFilter(purpose)) is { } error)
        {
            return error;
        }

        var found = await files.ListAsync(Tenant.NameOf(context), page, purpose);
        return Results.Json(StoredList.Of(found), ApiJson.OpenAi.OpenAiFileList);
    }

    private static async Task<IResult> GetAsync(string id, HttpContext context, FileStore files) =>
        await files.GetAsync(Tenant.NameOf(context), id) is { } file ? Json(file) : NotFound(id);

    private static async Task<IResult> DeleteAsync(string id, HttpContext context, FileStore files) =>
        await files.DeleteAsync(Tenant.NameOf(context), id) ? Results.Json(new OpenAiDeleted(id, "file"), OpenAiJson.Default.OpenAiDeleted) : NotFound(id);

    private static async Task<IResult> ReadAsync(string id, HttpContext context, FileStore files)
    {
        if (await files.GetAsync(Tenant.NameOf(context), id) is not { } file
            || await files.OpenAsync(Tenant.NameOf(context), id, context.RequestAborted) is not { } contents)
        {
            return NotFound(id);
        }

        // Whatever a browser would make of the contents, it only saves them.
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Stream(contents, "application/octet-stream", file.Filename, enableRangeProcessing: true);
    }

    private static IResult Json(OpenAiFile file) => Results.Json(file, ApiJson.OpenAi.OpenAiFile);

    private static ApiError NotFound(string id) => ApiError.NotFound("file", id);
}
