using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;

namespace Serving.Engine.Tests;

public sealed class QuantizationPlanTests
{
    [Theory]
    [InlineData("tiny-256-Q4_K_M.gguf", GgmlType.Q4_K)]
    [InlineData("tiny-256-Q5_K_M.gguf", GgmlType.Q5_K)]
    public void Chooses_what_llama_cpp_chose(string name, GgmlType target)
    {
        using GgufFile file = GgufFile.Open(GoldenFixtures.Path("gguf", name));
        var plan = new QuantizationPlan(target, file.Metadata.GetInt32("llama.block_count", 1, 99), outputIsEmbedding: false);

        Assert.Equal(file.Metadata.GetInt32("general.file_type", 0, 99), plan.FileType);
        foreach (GgufTensor tensor in file.Tensors)
        {
            Assert.Equal((tensor.Name, tensor.Type), (tensor.Name, plan.TypeOf(tensor.Name, tensor.Dimensions)));
        }
    }

    [Theory]
    [InlineData("q4_1", "output.weight", 64, GgmlType.Q8_0)]
    [InlineData("q4_1", "token_embd.weight", 64, GgmlType.Q8_0)]
    [InlineData("q4_1", "blk.0.attn_q.weight", 64, GgmlType.Q4_1)]
    [InlineData("q6_k", "output.weight", 64, GgmlType.Q8_0)]
    [InlineData("q4_k", "blk.9.attn_q.weight", 64, GgmlType.Q5_0)]
    [InlineData("q5_k", "blk.9.attn_q.weight", 64, GgmlType.Q5_1)]
    [InlineData("q4_k", "blk.9.attn_q.weight", 48, GgmlType.F16)]
    [InlineData("q8_0", "blk.9.ffn_down_exps.weight", 48, GgmlType.F16)]
    [InlineData("q4_k", "blk.0.attn_qkv.weight", 256, GgmlType.Q5_K)]
    [InlineData("q4_k", "blk.0.ffn_down_exps.weight", 256, GgmlType.Q6_K)]
    [InlineData("q4_k", "blk.2.ffn_down_exps.weight", 256, GgmlType.Q4_K)]
    [InlineData("q4_k", "blk.0.ffn_gate_inp.weight", 256, GgmlType.F32)]
    [InlineData("bf16", "blk.0.ffn_gate_inp_shexp.weight", 256, GgmlType.F32)]
    [InlineData("bf16", "output.weight", 256, GgmlType.BF16)]
    [InlineData("f16", "blk.0.ffn_down_exps.bias", 256, GgmlType.F32)]
    public void Falls_back_where_rows_are_no_blocks_and_keeps_what_is_sensitive(string target, string name, int rowElements, GgmlType expected)
    {
        Assert.True(QuantizationPlan.TryParse(target, out GgmlType type));

        Assert.Equal(expected, new QuantizationPlan(type, layerCount: 16, outputIsEmbedding: true).TypeOf(name, [rowElements, 8]));
        Assert.Equal(GgmlType.F32, new QuantizationPlan(type, layerCount: 16, outputIsEmbedding: true).TypeOf(name, [rowElements]));
    }

    [Fact]
    public void Knows_the_names_of_its_targets()
    {
        Assert.Equal("f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k", QuantizationPlan.Names);
        Assert.True(QuantizationPlan.TryParse("Q4_K", out _));
        Assert.False(QuantizationPlan.TryParse("q2_k", out _));
        Assert.False(QuantizationPlan.TryParse("", out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new QuantizationPlan(GgmlType.IQ4_NL, 1, outputIsEmbedding: false));
    }
}
