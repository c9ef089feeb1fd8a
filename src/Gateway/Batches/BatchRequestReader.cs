using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Batches;

/// <summary>Reads the body of <c>POST /v1/batches</c>.</summary>
internal static class BatchRequestReader
{
    private const int NameLengthMax = 256;
    private const int OutputSecondsMin = 3600;

    /// <summary>Routes of OpenAI's batches, so that one that is not served here is told from a mistake.</summary>
    private static readonly string[] _known =
    [
        "/v1/responses", "/v1/chat/completions", "/v1/embeddings", "/v1/completions", "/v1/moderations", "/v1/images/generations", "/v1/images/edits", "/v1/videos",
    ];

    /// <param name="routes">Those whose requests may stand in batches here.</param>
    /// <param name="lifeMax">How long an output file is kept that says nothing of it, which is the longest too.</param>
    public static BatchRequest Read(RequestFields fields, IReadOnlyCollection<string> routes, TimeSpan lifeMax)
    {
        var inputFileId = Required(fields, "input_file_id", "name a file with the purpose batch.");
        var endpoint = Required(fields, "endpoint", $"give {string.Join(" or ", routes)}.");
        if (endpoint.Length > 0 && !routes.Contains(endpoint))
        {
            fields.Fail(
                "endpoint",
                $"must be {string.Join(" or ", routes)}{(_known.Contains(endpoint) ? $"; {endpoint} is not served here" : "")}.",
                _known.Contains(endpoint) ? "unsupported_parameter" : null);
        }

        var window = Required(fields, "completion_window", "give 24h.");
        if (window.Length > 0 && window != "24h")
        {
            fields.Fail("completion_window", "must be 24h.");
        }

        return new BatchRequest(inputFileId, endpoint, window, MetadataReader.Read(fields), ReadLife(fields, lifeMax));
    }

    private static string Required(RequestFields fields, string field, string advice)
    {
        var text = fields.Text(field, NameLengthMax) ?? "";
        if (text.Length == 0)
        {
            fields.Fail(field, $"is missing: {advice}");
        }

        return text;
    }

    private static long ReadLife(RequestFields fields, TimeSpan lifeMax)
    {
        const string field = "output_expires_after";
        var secondsMax = (long)lifeMax.TotalSeconds;
        if (fields.Object(field) is not { } value)
        {
            return secondsMax;
        }

        if (!value.TryGetProperty("anchor", out var anchor) || !RequestFields.IsText(anchor, "created_at"))
        {
            fields.Fail($"{field}.anchor", "must be created_at.");
        }

        if (!value.TryGetProperty("seconds", out var seconds))
        {
            fields.Fail($"{field}.seconds", "is missing.");
            return secondsMax;
        }

        return fields.Integer($"{field}.seconds", seconds, OutputSecondsMin, secondsMax) ?? secondsMax;
    }
}
