using Serving.Engine.Formats.Blocks;
using Serving.Engine.Models;

namespace Serving.Engine.Tests;

public sealed class GptOssSpecTests
{
    [Fact]
    public void Gpt_oss_refuses_rows_that_no_blocks_make_up()
    {
        using FamilyFolder folder = new FamilyFolder(
            "gpt_oss", "{ \"num_local_experts\": 1, \"num_experts_per_tok\": 1, \"intermediate_size\": 48 }").AddAttention().AddToLayers(
            _ => true, ("self_attn.sinks", [4]), ("mlp.router.weight", [1, 32]), ("mlp.router.bias", [1]));
        const string Experts = "model.layers.0.mlp.experts.";
        folder.Weights.Add($"{Experts}gate_up_proj_blocks", "U8", [1, 96, 1, 16], new byte[96 * 16]).Add($"{Experts}gate_up_proj_scales", "U8", [1, 96, 1], new byte[96]);
        folder.Weights.Add($"{Experts}down_proj_blocks", "U8", [1, 32, 1, 16], new byte[32 * 16]).Add($"{Experts}down_proj_scales", "U8", [1, 32, 1], new byte[32]);

        folder.AssertRefused("blocks of 32 numbers, which the 48 inputs");
    }

    /// <summary>The form of the published models: what a number means follows the OCP standard, E2M1 numbers with a power of two for each 32.</summary>
    [Fact]
    public void Gpt_oss_experts_are_read_from_mxfp4_blocks_and_scales()
    {
        const int Count = 2;
        float[] e2m1 = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6];
        var random = new Random(9);
        using FamilyFolder folder = new FamilyFolder(
            "gpt_oss",
            "{ \"num_local_experts\": 2, \"num_experts_per_tok\": 1, \"sliding_window\": 16, \"quantization_config\": { \"quant_method\": \"mxfp4\" } }")
            .AddAttention()
            .AddToLayers(
                _ => true,
                ("self_attn.sinks", [4]),
                ("mlp.router.weight", [Count, 32]),
                ("mlp.router.bias", [Count]),
                ("mlp.experts.gate_up_proj_bias", [Count, 128]),
                ("mlp.experts.down_proj_bias", [Count, 32]));
        float[] gateUp = Add("gate_up_proj", outputs: 128, inputs: 32);
        float[] down = Add("down_proj", outputs: 32, inputs: 64);

        ModelGraph graph = folder.Build();

        ExpertWeights[] experts = [.. graph.Layers[0].OfType<MixExperts>().Single().Set.Experts];
        for (int expert = 0; expert < Count; expert++)
        {
            for (int output = 0; output < 64; output++)
            {
                int row = ((expert * 128) + (2 * output)) * 32;
                Assert.Equal(gateUp[row..(row + 32)], Row(experts[expert].GateUp[0], output));
                Assert.Equal(gateUp[(row + 32)..(row + 64)], Row(experts[expert].GateUp[1], output));
            }

            for (int output = 0; output < 32; output++)
            {
                int row = ((expert * 32) + output) * 64;
                Assert.Equal(down[row..(row + 64)], Row(experts[expert].Down, output));
            }
        }

        Assert.Equal(16, graph.Layers[0].OfType<Attend>().Single().Attention.Window);

        float[] Add(string name, int outputs, int inputs)
        {
            int blocks = Count * outputs * inputs / 32;
            byte[] nibbles = new byte[blocks * 16];
            byte[] scales = new byte[blocks];
            random.NextBytes(nibbles);
            var values = new float[blocks * 32];
            for (int block = 0; block < blocks; block++)
            {
                scales[block] = (byte)random.Next(120, 130);
                for (int i = 0; i < 32; i++)
                {
                    int nibble = (nibbles[(block * 16) + (i / 2)] >> (i % 2 * 4)) & 0xf;
                    values[(block * 32) + i] = (nibble < 8 ? 1 : -1) * e2m1[nibble & 7] * MathF.Pow(2, scales[block] - 127);
                }
            }

            folder.Weights.Add($"model.layers.0.mlp.experts.{name}_blocks", "U8", [Count, outputs, inputs / 32, 16], nibbles);
            folder.Weights.Add($"model.layers.0.mlp.experts.{name}_scales", "U8", [Count, outputs, inputs / 32], scales);
            return values;
        }
    }

    private static float[] Row(MatrixWeight matrix, int output) => matrix.Data.Read(rows =>
    {
        var row = new float[rows.Inputs];
        BlockDecoder.Decode(rows.Type, rows.Row(output), row);
        return row;
    });
}
