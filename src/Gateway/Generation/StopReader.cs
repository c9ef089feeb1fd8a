using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads what ends an answer.</summary>
internal static class StopReader
{
    private const int SequenceLengthMax = 1024;
    private const int TokensMax = 128;

    /// <param name="maxTokens">Most tokens of the answer; null: until the context is full.</param>
    /// <param name="sequencesField">What the API calls stop sequences.</param>
    public static StopConditions Read(RequestFields fields, long? maxTokens, string sequencesField = "stop", int sequencesMax = 4)
    {
        var stop = new StopConditions();
        if (maxTokens is { } tokens)
        {
            stop.MaxTokens = (int)tokens;
        }

        stop.IgnoreEos = fields.Boolean("ignore_eos") ?? false;
        stop.MinTokens = (int?)fields.Integer("min_tokens", 0, int.MaxValue) ?? 0;
        if (stop.HasMaxTokens && stop.MinTokens > stop.MaxTokens)
        {
            fields.Fail("min_tokens", $"is {stop.MinTokens}, more than the {stop.MaxTokens} tokens that the answer may have.");
        }

        ReadSequences(fields, stop, sequencesField, sequencesMax);
        ReadTokens(fields, stop);
        return stop;
    }

    private static void ReadSequences(RequestFields fields, StopConditions stop, string field, int sequencesMax)
    {
        if (!fields.TryGet(field, out var value))
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            AddSequence(fields, stop, field, value);
            return;
        }

        if (value.GetArrayLength() > sequencesMax)
        {
            fields.Fail(field, $"has {value.GetArrayLength()} sequences; at most {sequencesMax} are allowed.");
            return;
        }

        var index = 0;
        foreach (var sequence in value.EnumerateArray())
        {
            AddSequence(fields, stop, $"{field}[{index++}]", sequence);
        }
    }

    private static void AddSequence(RequestFields fields, StopConditions stop, string field, JsonElement value)
    {
        if (fields.Text(field, value) is not { } sequence)
        {
            return;
        }

        if (sequence.Length is 0 or > SequenceLengthMax)
        {
            fields.Fail(field, $"must have 1 to {SequenceLengthMax} characters, not {sequence.Length}.");
            return;
        }

        stop.Sequences.Add(sequence);
    }

    private static void ReadTokens(RequestFields fields, StopConditions stop)
    {
        if (!fields.TryGet("stop_token_ids", out var value))
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            fields.Fail("stop_token_ids", $"must be an array of token ids, not {RequestFields.Kind(value)}.");
            return;
        }

        if (value.GetArrayLength() > TokensMax)
        {
            fields.Fail("stop_token_ids", $"has {value.GetArrayLength()} tokens; at most {TokensMax} are allowed.");
            return;
        }

        var index = 0;
        foreach (var token in value.EnumerateArray())
        {
            if (fields.Integer($"stop_token_ids[{index++}]", token, 0, int.MaxValue) is { } id)
            {
                stop.TokenIds.Add((int)id);
            }
        }
    }
}
