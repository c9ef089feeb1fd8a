using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Formats.HuggingFace;

namespace Serving.Engine.Models;

/// <summary>How a model says that its positions are turned, from whichever format.</summary>
internal static class RopeSettings
{
    private const double ThetaDefault = 10_000;

    /// <summary>Makes the rotation that a model's settings ask for.</summary>
    /// <param name="dims">Elements of a head that are turned.</param>
    /// <param name="layerType">The key in <c>rope_parameters</c> where each kind of layer has its own, or null.</param>
    /// <param name="truncateDefault">Whether YaRN's ramp begins and ends at whole pairs where the settings are silent.</param>
    public static RopeSpec Read(ModelGraphBuilder graph, int dims, bool interleaved, string? layerType = null, bool truncateDefault = true)
    {
        if (dims < 2 || dims % 2 != 0 || dims > graph.Config.HeadDim && dims > ModelConfig.HeadDimMax)
        {
            throw graph.Settings.Invalid(SettingKeys.RopeDims, $"is {dims}, expected an even number of at least 2");
        }

        RopeScaling scaling = graph.Settings is HuggingFaceSettings ? Read(graph.Settings, graph.Config, layerType) : ReadGguf(graph);
        return Make(graph, dims, interleaved, scaling with { Truncate = scaling.Truncate ?? truncateDefault });
    }

    /// <summary>What the settings of a Hugging Face folder say of the rotation.</summary>
    public static RopeScaling Read(ModelSettings settings, ModelConfig config, string? layerType) =>
        ReadHuggingFace(config, ((HuggingFaceSettings)settings).Config, layerType);

    /// <summary>The rotated part of a head: all of it, or what the settings say.</summary>
    public static int Dims(ModelGraphBuilder graph)
    {
        int headDim = graph.Config.HeadDim;
        if (graph.Settings is HuggingFaceSettings huggingFace)
        {
            JsonFields config = huggingFace.Config;
            double? factor = config.FindObject("rope_parameters")?.FindNumber("partial_rotary_factor") ?? config.FindNumber("partial_rotary_factor");
            return factor is null ? headDim
                : factor is > 0 and <= 1 ? (int)(headDim * factor.Value)
                : throw config.Invalid("partial_rotary_factor", $"is {factor}, expected more than 0 and at most 1");
        }

        return graph.Settings.FindInt32(SettingKeys.RopeDims, 2, headDim) ?? headDim;
    }

    private static RopeSpec Make(ModelGraphBuilder graph, int dims, bool interleaved, RopeScaling scaling)
    {
        double[] frequencies = RopeFrequencies.Default(dims, scaling.Theta);
        double magnitude = scaling.Magnitude ?? 1;
        switch (scaling.Kind)
        {
            case RopeScalingKind.None:
                break;
            case RopeScalingKind.Linear:
                frequencies = RopeFrequencies.Linear(frequencies, scaling.Factor);
                break;
            case RopeScalingKind.Llama3:
                frequencies = RopeFrequencies.Llama3(frequencies, scaling.Factor, scaling.LowFrequencyFactor, scaling.HighFrequencyFactor, scaling.OriginalContext);
                break;
            case RopeScalingKind.Yarn:
                frequencies = RopeFrequencies.Yarn(
                    frequencies, scaling.Theta, scaling.Factor, scaling.BetaFast, scaling.BetaSlow, scaling.OriginalContext, scaling.Truncate ?? true);
                magnitude = scaling.Magnitude ?? RopeFrequencies.YarnMagnitude(scaling.Factor);
                break;
            case RopeScalingKind.LongRope:
                magnitude = scaling.Magnitude ?? RopeFrequencies.LongRopeMagnitude(scaling.Factor, scaling.OriginalContext);
                break;
        }

        if (Factors(graph, scaling) is { } factors)
        {
            frequencies = factors.Length == frequencies.Length
                ? RopeFrequencies.Divide(frequencies, factors)
                : throw graph.Settings.Invalid(SettingKeys.RopeDims, $"makes {frequencies.Length} pairs, but there are {factors.Length} frequency factors");
        }

        return graph.Rope(frequencies, magnitude, interleaved);
    }

    /// <summary>The divisors of the frequencies: the ones for long sequences where the sequences are to be longer than those of the first training.</summary>
    private static float[]? Factors(ModelGraphBuilder graph, RopeScaling scaling) =>
        graph.ContextTokens > scaling.OriginalContext ? scaling.LongFactors ?? scaling.Factors : scaling.ShortFactors ?? scaling.Factors;

    private static RopeScaling ReadGguf(ModelGraphBuilder graph)
    {
        ModelSettings settings = graph.Settings;
        var kindKey = new SettingKey("rope.scaling.type");
        string kind = settings.FindString(kindKey) ?? "none";
        int context = settings.FindInt32(new SettingKey("rope.scaling.original_context_length"), 1, int.MaxValue) ?? graph.Config.ContextLength;
        return new RopeScaling
        {
            Theta = settings.FindPositive(SettingKeys.RopeTheta) ?? ThetaDefault,
            Kind = kind switch
            {
                "none" => RopeScalingKind.None,
                "linear" => RopeScalingKind.Linear,
                "yarn" => RopeScalingKind.Yarn,
                "longrope" => RopeScalingKind.LongRope,
                _ => throw settings.Invalid(kindKey, $"is \"{kind}\", which is not supported; supported: none, linear, yarn, longrope"),
            },
            Factor = settings.FindPositive(new SettingKey("rope.scaling.factor")) ?? Math.Max(1, (double)graph.Config.ContextLength / context),
            Magnitude = settings.FindPositive(new SettingKey("rope.scaling.attn_factor")),
            BetaFast = settings.FindPositive(new SettingKey("rope.scaling.yarn_beta_fast")) ?? 32,
            BetaSlow = settings.FindPositive(new SettingKey("rope.scaling.yarn_beta_slow")) ?? 1,
            OriginalContext = context,
            Factors = ReadFactors("rope_freqs.weight"),
            LongFactors = ReadFactors("rope_factors_long.weight"),
            ShortFactors = ReadFactors("rope_factors_short.weight"),
        };

        float[]? ReadFactors(string name)
        {
            if (graph.Source.FindTensor(name) is not { } tensor)
            {
                return null;
            }

            if (tensor.Shape.Count != 1 || tensor.Shape[0] > ModelConfig.HeadDimMax || tensor.Type != GgmlType.F32)
            {
                throw tensor.Error($"has the shape {tensor.ShapeText} and the type {tensor.Type}, expected one F32 factor a pair of elements");
            }

            var factors = new float[tensor.Shape[0]];
            tensor.Decode(factors);
            return factors;
        }
    }

    /// <summary>Reads the older form (<c>rope_theta</c> beside <c>rope_scaling</c>) and the newer one (<c>rope_parameters</c>, perhaps for each kind of layer).</summary>
    private static RopeScaling ReadHuggingFace(ModelConfig model, JsonFields config, string? layerType)
    {
        JsonFields? fields = config.FindObject("rope_parameters");
        if (fields is not null && layerType is not null && fields.Has(layerType))
        {
            fields = fields.FindObject(layerType);
        }

        fields ??= config.FindObject("rope_scaling");
        double theta = fields?.FindNumber("rope_theta") ?? config.FindNumber("rope_theta") ?? ThetaDefault;
        if (theta <= 0)
        {
            throw config.Invalid("rope_theta", $"is {theta}, expected a positive number");
        }

        string kind = fields?.FindString("rope_type") ?? fields?.FindString("type") ?? "default";
        var scaling = new RopeScaling { Theta = theta, OriginalContext = int.MaxValue };
        return kind switch
        {
            // Dynamic scaling begins beyond the model's own context, which no sequence exceeds.
            "default" or "dynamic" => scaling,
            "linear" or "llama3" or "yarn" or "longrope" or "su" => ReadScaling(model, config, fields!, kind, scaling),
            _ => throw fields!.Invalid(
                "rope_type", $"is \"{kind}\", which is not supported; supported: default, linear, dynamic, llama3, yarn, longrope"),
        };
    }

    private static RopeScaling ReadScaling(ModelConfig model, JsonFields config, JsonFields fields, string kind, RopeScaling scaling)
    {
        // Where both are there, the outer one counts (transformers' standardize_rope_params).
        int original = config.FindInt32("original_max_position_embeddings", 1, int.MaxValue)
            ?? fields.FindInt32("original_max_position_embeddings", 1, int.MaxValue)
            ?? model.ContextLength;
        double factor = Positive("factor")
            ?? (original != model.ContextLength ? (double)model.ContextLength / original
                : kind is "linear" or "llama3" or "yarn" ? throw fields.Invalid("factor", "is missing") : 1);
        double? mscale = fields.FindNumber("mscale");
        double? mscaleAll = fields.FindNumber("mscale_all_dim");
        double? magnitude = kind is "linear" or "llama3" ? null : Positive("attention_factor");
        if (magnitude is null && kind == "yarn" && mscale is not null and not 0 && mscaleAll is not null and not 0)
        {
            magnitude = RopeFrequencies.YarnMagnitude(factor, mscale.Value) / RopeFrequencies.YarnMagnitude(factor, mscaleAll.Value);
        }

        return scaling with
        {
            Kind = kind switch
            {
                "linear" => RopeScalingKind.Linear,
                "llama3" => RopeScalingKind.Llama3,
                "yarn" => RopeScalingKind.Yarn,
                _ => RopeScalingKind.LongRope,
            },
            Factor = factor,
            Magnitude = magnitude,
            OriginalContext = original,
            BetaFast = Positive("beta_fast") ?? 32,
            BetaSlow = Positive("beta_slow") ?? 1,
            Truncate = fields.FindBool("truncate"),
            LowFrequencyFactor = kind == "llama3" ? Positive("low_freq_factor") ?? throw fields.Invalid("low_freq_factor", "is missing") : 1,
            HighFrequencyFactor = kind == "llama3" ? Positive("high_freq_factor") ?? throw fields.Invalid("high_freq_factor", "is missing") : 1,
            LongFactors = Factors("long_factor"),
            ShortFactors = Factors("short_factor"),
        };

        double? Positive(string name) =>
            fields.FindNumber(name) is { } number ? number > 0 ? number : throw fields.Invalid(name, $"is {number}, expected a positive number") : null;

        float[]? Factors(string name)
        {
            if (kind is not ("longrope" or "su"))
            {
                return null;
            }

            double[] numbers = fields.FindNumbers(name) ?? throw fields.Invalid(name, "is missing");
            return Array.ConvertAll(numbers, number => number > 0 ? (float)number : throw fields.Invalid(name, $"holds {number}, expected positive numbers"));
        }
    }
}
