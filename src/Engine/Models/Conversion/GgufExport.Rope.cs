using Serving.Engine.Formats;

namespace Serving.Engine.Models.Conversion;

/// <summary>How positions are turned, in GGUF's words.</summary>
internal sealed partial class GgufExport
{
    private static readonly SettingKey _kind = new("rope.scaling.type");
    private static readonly SettingKey _factor = new("rope.scaling.factor");
    private static readonly SettingKey _original = new("rope.scaling.original_context_length");
    private static readonly SettingKey _magnitude = new("rope.scaling.attn_factor");
    private static readonly SettingKey _betaFast = new("rope.scaling.yarn_beta_fast");
    private static readonly SettingKey _betaSlow = new("rope.scaling.yarn_beta_slow");
    private static readonly SettingKey _ofConfig = new(null, "rope_parameters", "rope_scaling");

    public void SetRope(int dims, string? layerType = null)
    {
        RopeScaling scaling = RopeSettings.Read(Settings, Config, layerType);
        Set(SettingKeys.RopeDims, dims);
        Set(SettingKeys.RopeTheta, (float)scaling.Theta);
        switch (scaling.Kind)
        {
            case RopeScalingKind.None:
                break;
            case RopeScalingKind.Linear:
                Set(_kind, "linear");
                Set(_factor, (float)scaling.Factor);
                break;
            case RopeScalingKind.Llama3:
                AddFactors("rope_freqs.weight", Llama3Factors(dims, scaling));
                break;
            case RopeScalingKind.Yarn:
                SetYarn(scaling);
                break;
            case RopeScalingKind.LongRope:
                Set(_original, scaling.OriginalContext);
                Set(_magnitude, (float)(scaling.Magnitude ?? RopeFrequencies.LongRopeMagnitude(scaling.Factor, scaling.OriginalContext)));
                AddFactors("rope_factors_long.weight", scaling.LongFactors!);
                AddFactors("rope_factors_short.weight", scaling.ShortFactors!);
                break;
        }
    }

    private void SetYarn(RopeScaling scaling)
    {
        if (scaling.Magnitude is { } magnitude && Math.Abs(magnitude - RopeFrequencies.YarnMagnitude(scaling.Factor)) > 1e-6)
        {
            throw Refuse(_ofConfig, "llama.cpp computes YaRN's attention factor itself");
        }

        if (scaling.Truncate is false)
        {
            throw Refuse(_ofConfig, "llama.cpp lets YaRN's ramp begin and end at whole pairs (truncate)");
        }

        Set(_kind, "yarn");
        Set(_factor, (float)scaling.Factor);
        Set(_original, scaling.OriginalContext);
        Set(_betaFast, (float)scaling.BetaFast);
        Set(_betaSlow, (float)scaling.BetaSlow);
    }

    private static float[] Llama3Factors(int dims, RopeScaling scaling)
    {
        double[] plain = RopeFrequencies.Default(dims, scaling.Theta);
        double[] scaled = RopeFrequencies.Llama3(plain, scaling.Factor, scaling.LowFrequencyFactor, scaling.HighFrequencyFactor, scaling.OriginalContext);
        var factors = new float[plain.Length];
        for (int i = 0; i < factors.Length; i++)
        {
            factors[i] = (float)(plain[i] / scaled[i]);
        }

        return factors;
    }

    private void AddFactors(string name, float[] factors) =>
        Writer.Add(name, GgmlType.F32, [factors.Length], (_, destination) => factors.CopyTo(destination), _source.Path);
}
