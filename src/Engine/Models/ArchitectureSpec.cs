using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;

namespace Serving.Engine.Models;

/// <summary>What one model family looks like: which blocks it is composed of, in which order. One short file per family.</summary>
internal abstract class ArchitectureSpec
{
    private static readonly ArchitectureSpec[] _all = [new LlamaSpec()];

    /// <summary>The family's name in <c>general.architecture</c>.</summary>
    public abstract string Name { get; }

    /// <exception cref="ModelFormatException">The file contradicts itself or asks for what this family's spec does not have.</exception>
    public abstract ModelGraph Build(GgufFile file);

    /// <summary>The spec of the family that a file is of.</summary>
    public static ArchitectureSpec For(GgufFile file)
    {
        string name = file.Metadata.GetString(ModelConfig.ArchitectureKey);
        return Array.Find(_all, spec => spec.Name == name) ?? throw file.Metadata.Invalid(
            ModelConfig.ArchitectureKey,
            $"is \"{name}\", which is not supported; supported: {string.Join(", ", Array.ConvertAll(_all, spec => spec.Name))}");
    }
}
