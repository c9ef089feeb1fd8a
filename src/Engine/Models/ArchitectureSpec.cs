using System.Collections.Frozen;
using Serving.Engine.Formats;
using Serving.Engine.Models.Conversion;

namespace Serving.Engine.Models;

/// <summary>What one model family looks like: which blocks it is composed of, in which order. One short file per family.</summary>
internal abstract class ArchitectureSpec
{
    private static readonly SettingKey _familyKey = new(null, "model_type");

    private static readonly ArchitectureSpec[] _all =
    [
        new LlamaSpec(),
        new Qwen2Spec(),
        new Qwen3Spec(),
        new Phi3Spec(),
        new Gemma3Spec(),
        new SmolLm3Spec(),
        new OlmoeSpec(),
        new DeepseekSpec(),
        new GptOssSpec(),
    ];

    /// <summary>The family's names in <c>general.architecture</c>.</summary>
    public abstract IReadOnlyList<string> GgufFamilies { get; }

    /// <summary>The family's names in <c>model_type</c>.</summary>
    public abstract IReadOnlyList<string> HuggingFaceFamilies { get; }

    /// <summary>What GGUF calls otherwise than the blocks do.</summary>
    protected virtual IReadOnlyDictionary<string, string> GgufNames => FrozenDictionary<string, string>.Empty;

    /// <summary>What Hugging Face calls otherwise than <see cref="TensorNames"/> says.</summary>
    protected virtual IReadOnlyDictionary<string, string> HuggingFaceNames => FrozenDictionary<string, string>.Empty;

    /// <summary>The values of <c>hidden_act</c> that the family's MLP stands for.</summary>
    protected virtual IReadOnlyList<string> Activations { get; } = ["silu", "swish"];

    /// <summary>The spec of the family that a model is of.</summary>
    /// <exception cref="ModelFormatException">It is not supported.</exception>
    public static ArchitectureSpec For(ModelSource source)
    {
        string family = source.Settings.Family;
        return Array.Find(_all, spec => Contains(spec.Families(source.Format), family)) ?? throw Unsupported(source, family);
    }

    /// <summary>The families of a format that can be run.</summary>
    public static List<string> Supported(ModelFormat format)
    {
        var families = new List<string>();
        Array.ForEach(_all, spec => families.AddRange(spec.Families(format)));
        return families;
    }

    /// <exception cref="ModelFormatException">The files contradict themselves or ask for what this family's spec does not have.</exception>
    public ModelGraph Build(ModelSource source, int contextTokensMax)
    {
        RefuseUnknownVariants(source);
        var graph = new ModelGraphBuilder(source, Names(source), contextTokensMax) { NormOffset = NormOffset(source.Format) };
        Emit(graph);
        return graph.Build();
    }

    /// <summary>What a source calls its tensors.</summary>
    public TensorNames Names(ModelSource source) => new(source, source.Format == ModelFormat.Gguf ? GgufNames : HuggingFaceNames);

    /// <summary>What GGUF calls them.</summary>
    public TensorNames GgufTensorNames() => new(GgufNames);

    /// <summary>The name in GGUF of the family that a folder is of.</summary>
    public virtual string GgufFamily(ModelSettings settings) => GgufFamilies[0];

    /// <summary>What is added to the weights of norms: 1 where a format holds them as their distance from 1.</summary>
    public virtual float NormOffset(ModelFormat format) => 0;

    /// <summary>Sets what only this family has in a GGUF file.</summary>
    /// <exception cref="ModelFormatException">Something cannot be expressed.</exception>
    public virtual void Export(GgufExport export) =>
        throw export.Refuse(_familyKey, "llama.cpp's code for this family fixes parts that the settings vary, and serving does not write it; llama.cpp's own converter does");

    protected abstract void Emit(ModelGraphBuilder graph);

    private static ModelFormatException Unsupported(ModelSource source, string family)
    {
        string problem = $"is \"{family}\", which is not supported; supported: {string.Join(", ", Supported(source.Format))}";
        return source.Settings is Formats.Gguf.GgufSettings gguf ? gguf.InvalidFamily(problem) : source.Settings.Invalid(_familyKey, problem);
    }

    private static bool Contains(IReadOnlyList<string> names, string name)
    {
        foreach (string candidate in names)
        {
            if (candidate == name)
            {
                return true;
            }
        }

        return false;
    }

    private IReadOnlyList<string> Families(ModelFormat format) => format == ModelFormat.Gguf ? GgufFamilies : HuggingFaceFamilies;

    private void RefuseUnknownVariants(ModelSource source)
    {
        if (source.Settings.FindString(SettingKeys.Activation) is { } activation && !Contains(Activations, activation))
        {
            throw source.Settings.Invalid(SettingKeys.Activation, $"is \"{activation}\"; this family is known with {string.Join(" or ", Activations)}");
        }

        if (source.Settings is Formats.HuggingFace.HuggingFaceSettings { Config: { } config } && config.FindObject("quantization_config") is { } quantization
            && quantization.FindString("quant_method") is { } method and not "mxfp4")
        {
            throw quantization.Invalid("quant_method", $"is \"{method}\", which is not supported; take the model's fp32, fp16 or bf16 weights, or a GGUF file of it");
        }
    }
}
