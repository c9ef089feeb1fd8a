using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads what ends an answer.</summary>
internal static class StopReader
{
    private const int SequencesMax = 4;
    private const int SequenceLengthMax = 1024;
    private const int TokensMax = 128;

    public static StopConditions Read(RequestFields fields)
    {
        var stop = new StopConditions();
        var older = fields.Integer("max_tokens", 1, int.MaxValue);
        var newer = fields.Integer("max_completion_tokens", 1, int.MaxValue);
        if (older is not null && newer is not null)
        {
            fields.Fail("max_tokens", "is the older name of 'max_completion_tokens': send only one of them.");
        }

        if ((newer ?? older) is { } tokens)
        {
            stop.MaxTokens = (int)tokens;
        }

        stop.IgnoreEos = fields.Boolean("ignore_eos") ?? false;
        stop.MinTokens = (int?)fields.Integer("min_tokens", 0, int.MaxValue) ?? 0;
        if (stop.HasMaxTokens && stop.MinTokens > stop.MaxTokens)
        {
            fields.Fail("min_tokens", $"is {stop.MinTokens}, more than the {stop.MaxTokens} tokens that the answer may have.");
        }

        ReadSequences(fields, stop);
        ReadTokens(fields, stop);
        return stop;
    }

    private static void ReadSequences(RequestFields fields, StopConditions stop)
    {
        if (!fields.TryGet("stop", out var value))
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            AddSequence(fields, stop, "stop", value);
            return;
        }

        if (value.GetArrayLength() > SequencesMax)
        {
            fields.Fail("stop", $"has {value.GetArrayLength()} sequences; at most {SequencesMax} are allowed.");
            return;
        }

        var index = 0;
        foreach (var sequence in value.EnumerateArray())
        {
            AddSequence(fields, stop, $"stop[{index++}]", sequence);
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
