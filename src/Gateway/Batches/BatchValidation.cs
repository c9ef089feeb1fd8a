using Microsoft.Extensions.Options;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Configuration;
using Serving.Gateway.Files;

namespace Serving.Gateway.Batches;

/// <summary>Looks through a batch's input before any of it is run.</summary>
internal sealed class BatchValidation(FileStore files, IOptions<GatewayOptions> gateway, IOptions<BatchOptions> options)
{
    /// <summary>A list of mistakes is for people.</summary>
    private const int ErrorsMax = 100;

    /// <summary>The longest line: a request, as HTTP would take it, and what stands around it.</summary>
    public int LineBytesMax { get; } = (int)Math.Min(gateway.Value.BodyBytesMax + 4096L, int.MaxValue);

    /// <summary>The batch with its number of requests, or with what is wrong with its input.</summary>
    public async Task<OpenAiBatch> CheckAsync(string tenant, OpenAiBatch batch, CancellationToken cancellationToken)
    {
        var errors = new List<OpenAiBatchError>();
        await using var input = await files.OpenAsync(tenant, batch.InputFileId, cancellationToken);
        if (input is null)
        {
            return Failed(batch, [new OpenAiBatchError("input_file_missing", $"The input file '{batch.InputFileId}' is no longer there.", "input_file_id", null)]);
        }

        var ids = new HashSet<string>(StringComparer.Ordinal);
        var model = default(string);
        try
        {
            await foreach (var (number, text) in BatchInput.ReadAsync(input, LineBytesMax, cancellationToken))
            {
                var (parsed, error) = BatchLine.Parse(number, text, batch.Endpoint);
                using var line = parsed;
                if (line is not null && !ids.Add(line.CustomId))
                {
                    error = new OpenAiBatchError("duplicate_custom_id", $"The custom_id '{line.CustomId}' stands in a line before: each names one request.", "custom_id", number);
                }

                model ??= line?.Model;
                if (error is not null)
                {
                    errors.Add(error);
                }

                if (ids.Count > options.Value.RequestsMax)
                {
                    errors.Add(new OpenAiBatchError("too_many_requests", $"The file has more than {options.Value.RequestsMax} requests: split it.", null, number));
                    break;
                }

                if (errors.Count == ErrorsMax)
                {
                    break;
                }
            }
        }
        catch (InvalidDataException exception)
        {
            errors.Add(new OpenAiBatchError("line_too_long", exception.Message, null, null));
        }

        if (ids.Count == 0 && errors.Count == 0)
        {
            errors.Add(new OpenAiBatchError("empty_file", "The file has no requests: write one JSON object a line.", null, null));
        }

        return errors.Count > 0 ? Failed(batch, errors) : batch with { Model = model, RequestCounts = new OpenAiBatchCounts(ids.Count, 0, 0) };
    }

    private static OpenAiBatch Failed(OpenAiBatch batch, IReadOnlyList<OpenAiBatchError> errors) => batch with { Errors = new OpenAiBatchErrors(errors) };
}
