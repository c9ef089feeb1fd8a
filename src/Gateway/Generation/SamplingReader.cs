using System.Globalization;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>
/// Reads how answer tokens are to be chosen: OpenAI's fields, and those that vLLM and llama.cpp add to them. What the client leaves out the
/// model's makers may have a recommendation for, which the worker knows.
/// </summary>
internal static class SamplingReader
{
    private const int BiasesMax = 1024;

    /// <summary>All but log probabilities, which each API asks for in its own way.</summary>
    public static SamplingParameters Read(RequestFields fields, double temperatureMax = 2)
    {
        var sampling = new SamplingParameters();
        if (fields.Number("temperature", 0, temperatureMax) is { } temperature)
        {
            sampling.Temperature = (float)temperature;
        }

        if (fields.Integer("seed", long.MinValue, long.MaxValue) is { } seed)
        {
            sampling.Seed = seed;
        }

        ReadFilters(fields, sampling);
        ReadPenalties(fields, sampling);
        ReadBias(fields, sampling);
        return sampling;
    }

    private static void ReadFilters(RequestFields fields, SamplingParameters sampling)
    {
        // -1 is vLLM's older way to say that it is off.
        if (fields.Integer("top_k", -1, int.MaxValue) is { } topK)
        {
            sampling.TopK = (int)Math.Max(0, topK);
        }

        if (Mass(fields, "top_p") is { } topP)
        {
            sampling.TopP = topP;
        }

        if (fields.Number("min_p", 0, 1) is { } minP)
        {
            sampling.MinP = (float)minP;
        }

        if (Mass(fields, "typical_p") is { } typicalP)
        {
            sampling.TypicalP = typicalP;
        }
    }

    /// <summary>A number in (0, 1] that stays above 0 as a float.</summary>
    private static float? Mass(RequestFields fields, string field) =>
        fields.Number(field, 0, 1, minExcluded: true) is { } mass ? MathF.Max((float)mass, float.Epsilon) : null;

    private static void ReadPenalties(RequestFields fields, SamplingParameters sampling)
    {
        if (fields.Number("repetition_penalty", 0.01, 10) is { } repetition)
        {
            sampling.RepetitionPenalty = (float)repetition;
        }

        if (fields.Number("frequency_penalty", -2, 2) is { } frequency)
        {
            sampling.FrequencyPenalty = (float)frequency;
        }

        if (fields.Number("presence_penalty", -2, 2) is { } presence)
        {
            sampling.PresencePenalty = (float)presence;
        }
    }

    private static void ReadBias(RequestFields fields, SamplingParameters sampling)
    {
        if (!fields.TryGet("logit_bias", out var value))
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            fields.Fail("logit_bias", $"must be an object of token ids and numbers, not {RequestFields.Kind(value)}.");
            return;
        }

        if (value.GetPropertyCount() > BiasesMax)
        {
            fields.Fail("logit_bias", $"has {value.GetPropertyCount()} tokens; at most {BiasesMax} are allowed.");
            return;
        }

        foreach (var member in value.EnumerateObject())
        {
            if (!int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token))
            {
                fields.Fail("logit_bias", "must have token ids as its names: whole numbers from 0 on.");
                return;
            }

            if (fields.Number($"logit_bias.{token}", member.Value, -100, 100) is not { } bias)
            {
                return;
            }

            sampling.LogitBias.Add(new TokenBias { Id = token, Bias = (float)bias });
        }
    }
}
