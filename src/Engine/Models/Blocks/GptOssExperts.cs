using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Models.Blocks;

/// <summary>
/// GPT-OSS's experts. GGUF holds them as every family's; Hugging Face holds one stack for gate and up, whose outputs alternate between the two, either turned around
/// (<c>[expert, input, output]</c>) or as MXFP4 (OCP Microscaling Formats 1.0) with blocks and scales apart.
/// </summary>
internal static class GptOssExperts
{
    private const int BlockInputs = 32;
    private const int BlockNibbleBytes = BlockInputs / 2;

    public static ExpertWeights[] Find(ModelGraphBuilder graph, int count, int hiddenWidth)
    {
        int width = graph.Config.Width;
        return graph.Source.Format == ModelFormat.Gguf ? FindGguf(graph, count, hiddenWidth) : FindHuggingFace(graph, count, width, hiddenWidth);
    }

    private static ExpertWeights[] FindGguf(ModelGraphBuilder graph, int count, int hiddenWidth)
    {
        ExpertWeights[] experts = ExpertTensors.Find(graph, count, hiddenWidth);
        int width = graph.Config.Width;
        ModelTensor? gate = ExpertTensors.FindBias(graph, $"{graph.InLayer("ffn_gate_exps")}.bias", count, hiddenWidth);
        ModelTensor? up = ExpertTensors.FindBias(graph, $"{graph.InLayer("ffn_up_exps")}.bias", count, hiddenWidth);
        ModelTensor? down = ExpertTensors.FindBias(graph, $"{graph.InLayer("ffn_down_exps")}.bias", count, width);
        for (int expert = 0; expert < count; expert++)
        {
            int e = expert;
            experts[expert] = experts[expert] with
            {
                GateUpBias = gate is null || up is null
                    ? null
                    : graph.Vector($"{gate.Name}[{e}]", 2 * hiddenWidth, () => [.. RowOf(gate, e), .. RowOf(up, e)]),
                DownBias = down is null ? null : graph.Vector($"{down.Name}[{e}]", width, () => RowOf(down, e)),
            };
        }

        return experts;
    }

    private static ExpertWeights[] FindHuggingFace(ModelGraphBuilder graph, int count, int width, int hiddenWidth)
    {
        string prefix = graph.InLayer("ffn_exps");
        ModelTensor? gateUpBias = ExpertTensors.FindBias(graph, $"{prefix}.gate_up_proj_bias", count, 2 * hiddenWidth);
        ModelTensor? downBias = ExpertTensors.FindBias(graph, $"{prefix}.down_proj_bias", count, width);
        var experts = new ExpertWeights[count];
        for (int expert = 0; expert < count; expert++)
        {
            int e = expert;
            experts[expert] = new ExpertWeights(
                [
                    Matrix(graph, $"{prefix}.gate_up_proj", count, e, hiddenWidth, width, first: 0, step: 2),
                    Matrix(graph, $"{prefix}.gate_up_proj", count, e, hiddenWidth, width, first: 1, step: 2),
                ],
                gateUpBias is null ? null : graph.Vector($"{gateUpBias.Name}[{e}]", 2 * hiddenWidth, () => Apart(RowOf(gateUpBias, e))),
                Matrix(graph, $"{prefix}.down_proj", count, e, width, hiddenWidth, first: 0, step: 1),
                downBias is null ? null : graph.Vector($"{downBias.Name}[{e}]", width, () => RowOf(downBias, e)));
        }

        return experts;
    }

    /// <summary>Every <paramref name="step"/>-th output of an expert's matrix from <paramref name="first"/> on, as rows.</summary>
    private static MatrixWeight Matrix(ModelGraphBuilder graph, string name, int count, int expert, int outputs, int inputs, int first, int step)
    {
        string ownName = step == 1 ? $"{name}[{expert}]" : $"{name}[{expert}] {(first == 0 ? "gate" : "up")}";
        if (graph.Source.FindTensor($"{name}_blocks") is { } blocks)
        {
            return graph.Matrix(ownName, graph.Demand($"{name}_scales"), Mxfp4(graph, name, blocks, count, expert, outputs, inputs, first, step));
        }

        ModelTensor tensor = graph.Demand(name);
        if (tensor.Shape.Count != 3 || tensor.Shape[0] != count || tensor.Shape[1] != inputs || tensor.Shape[2] != outputs * (long)step
            || BlockDecoder.BlockElements(tensor.Type) != 1 || !BlockDecoder.HoldsWeights(tensor.Type))
        {
            throw ModelGraphBuilder.WrongShape(tensor, count, inputs, outputs * step);
        }

        RawTensor matrix = tensor.MatrixAt(expert);
        int size = BlockDecoder.BlockBytes(tensor.Type);
        return graph.Matrix(ownName, tensor, MatrixData.Rearranged(ownName, tensor.Type, outputs, inputs, rows =>
        {
            for (int input = 0; input < inputs; input++)
            {
                ReadOnlySpan<byte> column = matrix.Row(input);
                for (int output = 0; output < outputs; output++)
                {
                    column.Slice(((output * step) + first) * size, size).CopyTo(rows[(int)((((long)output * inputs) + input) * size)..]);
                }
            }
        }));
    }

    /// <summary>Puts each block's scale before its numbers and the numbers into ggml's order: the first half in the low nibbles, the second in the high ones.</summary>
    private static MatrixData Mxfp4(
        ModelGraphBuilder graph, string name, ModelTensor blocks, int count, int expert, int outputs, int inputs, int first, int step)
    {
        ModelTensor scales = graph.Demand($"{name}_scales");
        if (inputs % BlockInputs != 0)
        {
            throw blocks.Error($"is made of blocks of {BlockInputs} numbers, which the {inputs} inputs of an expert's matrix are no multiple of");
        }

        int rowBlocks = inputs / BlockInputs;
        CheckShape(blocks, count, outputs * step, rowBlocks, BlockNibbleBytes);
        CheckShape(scales, count, outputs * step, rowBlocks);
        int blockBytes = BlockDecoder.BlockBytes(GgmlType.MXFP4);
        return MatrixData.Rearranged(name, GgmlType.MXFP4, outputs, inputs, rows =>
        {
            for (int output = 0; output < outputs; output++)
            {
                long row = ((long)expert * outputs * step) + (output * step) + first;
                for (int block = 0; block < rowBlocks; block++)
                {
                    Span<byte> to = rows.Slice(((output * rowBlocks) + block) * blockBytes, blockBytes);
                    to[0] = ByteAt(scales, (row * rowBlocks) + block);
                    for (int i = 0; i < BlockInputs; i++)
                    {
                        byte pair = ByteAt(blocks, (((row * rowBlocks) + block) * BlockNibbleBytes) + (i / 2));
                        int nibble = i % 2 == 0 ? pair & 0xf : pair >> 4;
                        ref byte target = ref to[1 + (i % BlockNibbleBytes)];
                        target = (byte)(i < BlockNibbleBytes ? nibble : target | (nibble << 4));
                    }
                }
            }
        });
    }

    private static unsafe byte ByteAt(ModelTensor tensor, long index) => ((byte*)tensor.Data)[index];

    private static void CheckShape(ModelTensor tensor, params int[] expected)
    {
        bool fits = tensor.Shape.Count == expected.Length && tensor.Type == GgmlType.I8;
        for (int i = 0; fits && i < expected.Length; i++)
        {
            fits = tensor.Shape[i] == expected[i];
        }

        if (!fits)
        {
            throw ModelGraphBuilder.WrongShape(tensor, expected);
        }
    }

    private static float[] RowOf(ModelTensor tensor, int row)
    {
        RawTensor rows = tensor.AsMatrix();
        var values = new float[rows.Inputs];
        BlockDecoder.Decode(rows.Type, rows.Row(row), values);
        return values;
    }

    /// <summary>Alternating gate and up as all of gate, then all of up.</summary>
    private static float[] Apart(float[] alternating)
    {
        int half = alternating.Length / 2;
        var apart = new float[alternating.Length];
        for (int i = 0; i < half; i++)
        {
            apart[i] = alternating[2 * i];
            apart[half + i] = alternating[(2 * i) + 1];
        }

        return apart;
    }
}
