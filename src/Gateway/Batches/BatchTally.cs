using System.Text.Json;
using Serving.Contracts.OpenAI;

namespace Serving.Gateway.Batches;

/// <summary>Counts what came of a batch's lines. Thread-safe.</summary>
internal sealed class BatchTally
{
    private readonly Lock _gate = new();
    private int _completed;
    private int _failed;
    private long _input;
    private long _cached;
    private long _output;
    private long _reasoning;

    public void Add(BatchResult result)
    {
        lock (_gate)
        {
            if (result.IsError)
            {
                _failed++;
                return;
            }

            _completed++;
            AddUsage(result.Json);
        }
    }

    /// <summary>The batch with these counts.</summary>
    public OpenAiBatch ShowIn(OpenAiBatch batch)
    {
        lock (_gate)
        {
            return batch with
            {
                RequestCounts = batch.RequestCounts with { Completed = _completed, Failed = _failed },
                Usage = new OpenAiBatchUsage(_input, new OpenAiInputDetails(_cached), _output, new OpenAiOutputDetails(_reasoning), _input + _output),
            };
        }
    }

    /// <summary>Reads the usage of whichever API answered: they have two sets of names for the same figures.</summary>
    private void AddUsage(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        if (!document.RootElement.GetProperty("response").GetProperty("body").TryGetProperty("usage", out var usage) || usage.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        _input += Number(usage, "prompt_tokens") + Number(usage, "input_tokens");
        _output += Number(usage, "completion_tokens") + Number(usage, "output_tokens");
        _cached += Detail(usage, "prompt_tokens_details", "cached_tokens") + Detail(usage, "input_tokens_details", "cached_tokens");
        _reasoning += Detail(usage, "completion_tokens_details", "reasoning_tokens") + Detail(usage, "output_tokens_details", "reasoning_tokens");
    }

    private static long Detail(JsonElement usage, string details, string name) =>
        usage.TryGetProperty(details, out var value) && value.ValueKind == JsonValueKind.Object ? Number(value, name) : 0;

    private static long Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : 0;
}
