using System.Globalization;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Models.Blocks;

/// <summary>Finds the weights of a layer's experts: stacks of all experts, or tensors of each.</summary>
internal static class ExpertTensors
{
    public static ExpertWeights[] Find(ModelGraphBuilder graph, int count, int hiddenWidth)
    {
        int width = graph.Config.Width;
        var experts = new ExpertWeights[count];
        for (int expert = 0; expert < count; expert++)
        {
            experts[expert] = new ExpertWeights(GateUp(expert), null, Matrix("ffn_down_exps", expert, width, hiddenWidth), null);
        }

        return experts;

        MatrixWeight[] GateUp(int expert) => FindStack(graph, "ffn_gate_up_exps") is { } fused
            ? [graph.MatrixOfStack(fused, expert, count, 2 * hiddenWidth, width)]
            : [Matrix("ffn_gate_exps", expert, hiddenWidth, width), Matrix("ffn_up_exps", expert, hiddenWidth, width)];

        MatrixWeight Matrix(string name, int expert, int outputs, int inputs) => FindStack(graph, name) is { } stack
            ? graph.MatrixOfStack(stack, expert, count, outputs, inputs)
            : graph.Matrix(NameOfOne(graph, name, expert), outputs, inputs);
    }

    /// <summary>The biases of one expert out of the stack of all, or null where the layer has none.</summary>
    public static ModelTensor? FindBias(ModelGraphBuilder graph, string name, int count, int width)
    {
        if (graph.Source.FindTensor(name) is not { } tensor)
        {
            return null;
        }

        return tensor.Shape.Count == 2 && tensor.Shape[0] == count && tensor.Shape[1] == width && BlockDecoder.HoldsWeights(tensor.Type)
            ? tensor
            : throw ModelGraphBuilder.WrongShape(tensor, count, width);
    }

    private static ModelTensor? FindStack(ModelGraphBuilder graph, string name) => graph.Source.FindTensor($"{graph.InLayer(name)}.weight");

    private static string NameOfOne(ModelGraphBuilder graph, string name, int expert)
    {
        if (graph.Source.Format == ModelFormat.HuggingFace)
        {
            return $"{graph.Names.Expert(graph.Layer, expert, name)}.weight";
        }

        // GGUF files of 2023 hold a tensor for each expert: blk.0.ffn_gate.3.weight.
        string ofOne = string.Create(CultureInfo.InvariantCulture, $"{graph.InLayer(name[..^"_exps".Length])}.{expert}.weight");
        return graph.Source.FindTensor(ofOne) is null ? $"{graph.InLayer(name)}.weight" : ofOne;
    }
}
