using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Http;
using Serving.Storage.Objects;

namespace Serving.Gateway.Files;

/// <summary>
/// Reads a multipart form (RFC 7578) with a file, which goes to the store as it comes: only a buffer of it is ever in memory. The fields may
/// stand before or behind it.
/// </summary>
internal sealed class FileUpload(FileStore files, string tenant, string id) : IAsyncDisposable
{
    private const int FieldBytesMax = 1024;
    private const int NameLengthMax = 255;
    private const int BufferBytes = 64 << 10;
    private const int ExpirySecondsMin = 3600;
    private const int UnprocessedBytesMax = 1 << 20;

    private readonly Dictionary<string, string> _fields = [];
    private ObjectWriter? _contents;
    private string? _name;
    private long _bytes;

    /// <summary>The stored file, or the error with which to answer; then nothing of it is left.</summary>
    public async Task<(OpenAiFile? File, ApiError? Error)> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (CheckHeaders(request, out var boundary) is { } refusal)
            {
                return (null, refusal);
            }

            if (await files.CheckRoomAsync(tenant, request.ContentLength ?? 0) is { } noRoom)
            {
                return (null, noRoom);
            }

            var reader = new MultipartReader(boundary, request.Body);
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (await ReadSectionAsync(section, cancellationToken) is { } error)
                {
                    return (null, error);
                }
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException and not BadHttpRequestException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return (null, ApiError.Invalid($"The body is no multipart form: {exception.Message}", code: "invalid_form"));
        }

        return await EndAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_contents is not null)
        {
            await _contents.DisposeAsync();
        }
    }

    private ApiError? CheckHeaders(HttpRequest request, out string boundary)
    {
        const int boundaryLengthMax = 70;
        boundary = "";
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return ApiError.Invalid("The body must be a form with a file: send it as multipart/form-data.", code: "unsupported_media_type", status: 415);
        }

        boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        if (boundary.Length is 0 or > boundaryLengthMax)
        {
            return ApiError.Invalid($"The Content-Type multipart/form-data needs a boundary of 1 to {boundaryLengthMax} characters.", code: "invalid_form");
        }

        // What is not the file itself is small; a length that leaves no doubt is refused before any of it is read.
        return request.ContentLength > files.BytesMax + UnprocessedBytesMax ? TooLarge() : null;
    }

    private async Task<ApiError?> ReadSectionAsync(MultipartSection section, CancellationToken cancellationToken)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) || !disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase))
        {
            return ApiError.Invalid("A part of the form has no header Content-Disposition: form-data.", code: "invalid_form");
        }

        var name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
        if (name == "file")
        {
            var fileName = disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName;
            return await ReadFileAsync(section.Body, HeaderUtilities.RemoveQuotes(fileName).ToString(), cancellationToken);
        }

        var value = await ReadFieldAsync(section.Body, cancellationToken);
        return value is null ? ApiError.Invalid($"'{name}' is longer than {FieldBytesMax} bytes or no UTF-8.", name)
            : _fields.TryAdd(name, value) ? null
            : ApiError.Invalid($"'{name}' is there twice.", name);
    }

    private async Task<ApiError?> ReadFileAsync(Stream body, string name, CancellationToken cancellationToken)
    {
        if (_contents is not null)
        {
            return ApiError.Invalid("'file' is there twice: send one file at a time.", "file");
        }

        // Some clients send the path; what is before the name is the client's own business.
        _name = name[(name.AsSpan().LastIndexOfAny('/', '\\') + 1)..];
        if (_name.Length is 0 or > NameLengthMax || _name.Any(c => char.IsControl(c) || c == Rune.ReplacementChar.Value))
        {
            return ApiError.Invalid($"'file' needs a filename of 1 to {NameLengthMax} characters, in UTF-8 and without control characters.", "file");
        }

        _contents = await files.CreateAsync(tenant, id, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await body.ReadAsync(buffer, cancellationToken) is var count and > 0)
            {
                _bytes += count;
                if (_bytes > files.BytesMax)
                {
                    return TooLarge();
                }

                try
                {
                    await _contents.Stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                }
                catch (IOException exception)
                {
                    return CannotWrite(exception);
                }
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Null: it is too long, or no text.</summary>
    private static async Task<string?> ReadFieldAsync(Stream body, CancellationToken cancellationToken)
    {
        var bytes = new byte[FieldBytesMax + 1];
        var count = await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        var text = bytes.AsSpan(0, count);
        return count > FieldBytesMax || !System.Text.Unicode.Utf8.IsValid(text) ? null : Encoding.UTF8.GetString(text);
    }

    private async Task<(OpenAiFile?, ApiError?)> EndAsync(CancellationToken cancellationToken)
    {
        var purpose = _fields.GetValueOrDefault("purpose");
        var (life, error) = ReadExpiry();
        error = FilePurpose.CheckUpload(purpose) ?? error;
        if (_contents is null)
        {
            error ??= ApiError.Invalid("'file' is missing: send the file as a part with a filename.", "file");
        }

        if (error is not null)
        {
            return (null, error);
        }

        try
        {
            await _contents!.CommitAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            return (null, CannotWrite(exception));
        }

        return await files.AddAsync(tenant, id, _name!, purpose!, _bytes, life);
    }

    private (TimeSpan Life, ApiError? Error) ReadExpiry()
    {
        const string field = "expires_after";
        const string anchorField = field + "[anchor]";
        const string secondsField = field + "[seconds]";
        if (_fields.ContainsKey(field))
        {
            return (default, ApiError.Invalid($"'{field}' is an object, which a form writes as two fields: {anchorField} and {secondsField}.", field));
        }

        var (anchor, seconds) = (_fields.GetValueOrDefault(anchorField), _fields.GetValueOrDefault(secondsField));
        if (anchor is null && seconds is null)
        {
            return (files.Retention, null);
        }

        if (anchor != "created_at")
        {
            return (default, ApiError.Invalid($"'{anchorField}' must be created_at.", anchorField));
        }

        var secondsMax = (long)files.Retention.TotalSeconds;
        return long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var life) && life >= ExpirySecondsMin && life <= secondsMax
            ? (TimeSpan.FromSeconds(life), null)
            : (default, ApiError.Invalid($"'{secondsField}' must be an integer from {ExpirySecondsMin} to {secondsMax}.", secondsField));
    }

    private static ApiError CannotWrite(IOException exception) => new(StatusCodes.Status507InsufficientStorage, new OpenAiError(
        $"The file cannot be written: {exception.Message}", OpenAiErrorType.Server, "file", "insufficient_storage"));

    private ApiError TooLarge() =>
        ApiError.Invalid($"The file is larger than {files.BytesMax} bytes.", "file", "request_too_large", StatusCodes.Status413PayloadTooLarge);
}
