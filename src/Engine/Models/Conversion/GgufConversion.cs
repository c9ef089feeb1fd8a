using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Formats.HuggingFace;

namespace Serving.Engine.Models.Conversion;

/// <summary>Writes a Hugging Face folder as a GGUF file that llama.cpp loads. What GGUF, or llama.cpp's code for a family, cannot express is refused by name.</summary>
public static class GgufConversion
{
    private const uint QuantizationVersion = 2;

    /// <summary>Prepares the file; nothing is written before <see cref="GgufFileWriter.Save"/>, until when the source must stay open.</summary>
    /// <param name="target">The format of most matrices (<see cref="QuantizationPlan.TryParse"/>).</param>
    /// <exception cref="ModelFormatException">The folder is broken, or something of it cannot be expressed.</exception>
    public static GgufFileWriter Prepare(HuggingFaceSource source, GgmlType target)
    {
        ArgumentNullException.ThrowIfNull(source);

        // Building the graph checks that every tensor is there in its shape.
        ModelGraph graph = ModelGraph.Build(source);
        ArchitectureSpec spec = ArchitectureSpec.For(source);
        var export = new GgufExport(source, graph, spec, target);
        export.Writer.Set("general.architecture", export.Family);
        export.Writer.Set("general.type", "model");
        export.Writer.Set("general.file_type", (uint)export.Plan.FileType);
        export.Writer.Set("general.quantization_version", QuantizationVersion);
        HuggingFaceVocabulary.Read(source, graph.Config.VocabularySize).Write(export.Writer);
        export.SetSizes();
        spec.Export(export);
        export.AddTensors();
        return export.Writer;
    }
}
