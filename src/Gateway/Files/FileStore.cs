using Microsoft.Extensions.Options;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Configuration;
using Serving.Storage.Documents;
using Serving.Storage.Objects;

namespace Serving.Gateway.Files;

/// <summary>The files of <c>/v1/files</c>: those that clients send, and those that batches write.</summary>
internal sealed class FileStore(StorageServices storage, IOptions<StorageOptions> options, TimeProvider time)
{
    public const string BatchPurpose = "batch";
    public const string BatchOutputPurpose = "batch_output";

    private readonly DocumentCollection<OpenAiFile> _files = new("file", OpenAiJson.Default.OpenAiFile, storage);

    /// <summary>The largest file in bytes.</summary>
    public long BytesMax => options.Value.FileBytesMax;

    /// <summary>How long a file is kept that says nothing of it, which is the longest too.</summary>
    public TimeSpan Retention => storage.Retention;

    public string NewId() => StoreId.New("file-", time.GetUtcNow());

    public async Task<ApiError?> CheckRoomAsync(string tenant, long bytes) =>
        await _files.CheckRoomAsync(tenant, bytes) is { } exceeded ? ApiError.NoRoom(exceeded) : null;

    /// <summary>Begins a file's contents. They are a file once they were committed and <see cref="AddAsync"/> has been called.</summary>
    public ValueTask<ObjectWriter> CreateAsync(string tenant, string id, CancellationToken cancellationToken) =>
        _files.CreateContentsAsync(tenant, id, cancellationToken);

    /// <param name="isForced">True: there is always room for it, because what it holds has been worked for.</param>
    /// <returns>The file; also one that was added under this id before. Or there is no room for it.</returns>
    public async Task<(OpenAiFile? File, ApiError? Error)> AddAsync(
        string tenant, string id, string name, string purpose, long bytes, TimeSpan life, bool isForced = false)
    {
        var now = time.GetUtcNow();
        var file = new OpenAiFile(id, bytes, now.ToUnixTimeSeconds(), (now + life).ToUnixTimeSeconds(), name, purpose);
        return await _files.AddAsync(tenant, id, file, DateTimeOffset.FromUnixTimeSeconds(file.ExpiresAt), bytes, isForced) switch
        {
            AddResult.QuotaExceeded => (null, await CheckRoomAsync(tenant, bytes) ?? ApiError.Unavailable("There was no room for it a moment ago. Try again.")),
            _ => (file, null),
        };
    }

    /// <summary>Null: the tenant has no such file.</summary>
    public async Task<OpenAiFile?> GetAsync(string tenant, string id) => (await _files.GetAsync(tenant, id))?.Value;

    /// <summary>A file's contents, which can be sought in; null: the tenant has no such file.</summary>
    public Task<Stream?> OpenAsync(string tenant, string id, CancellationToken cancellationToken) => _files.OpenContentsAsync(tenant, id, cancellationToken);

    /// <returns>False: the tenant has no such file.</returns>
    public Task<bool> DeleteAsync(string tenant, string id) => _files.DeleteAsync(tenant, id);

    /// <param name="purpose">Null: any.</param>
    public Task<DocumentPage<OpenAiFile>> ListAsync(string tenant, PageRequest page, string? purpose) =>
        _files.ListAsync(tenant, page, purpose is null ? null : file => file.Purpose == purpose);
}
