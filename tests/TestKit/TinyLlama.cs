namespace Serving.TestKit;

/// <summary>A Llama of a few kilobytes with pseudo-random weights, for tests of the file and of the graph.</summary>
public static class TinyLlama
{
    public const int Width = 16;
    public const int Vocabulary = 24;

    /// <param name="without">A tensor or key to leave out.</param>
    /// <param name="width">Elements of a row; blocks need a multiple of 32.</param>
    public static GgufWriter Writer(string without = "", int width = Width)
    {
        var writer = new GgufWriter();
        Value("general.architecture", w => w.Set("general.architecture", "llama"));
        Value("general.name", w => w.Set("general.name", "tiny"));
        Value("llama.block_count", w => w.Set("llama.block_count", 1u));
        Value("llama.context_length", w => w.Set("llama.context_length", 64u));
        Value("llama.embedding_length", w => w.Set("llama.embedding_length", (uint)width));
        Value("llama.feed_forward_length", w => w.Set("llama.feed_forward_length", 32u));
        Value("llama.attention.head_count", w => w.Set("llama.attention.head_count", 2u));
        Value("llama.attention.head_count_kv", w => w.Set("llama.attention.head_count_kv", 1u));
        Value("llama.attention.layer_norm_rms_epsilon", w => w.Set("llama.attention.layer_norm_rms_epsilon", 1e-5f));
        Value("tokenizer.ggml.tokens", w => w.Set("tokenizer.ggml.tokens", "a", "b", "c"));

        var random = new Random(1);
        Tensor("token_embd.weight", width, Vocabulary);
        Tensor("output_norm.weight", width);
        Tensor("blk.0.attn_norm.weight", width);
        Tensor("blk.0.attn_q.weight", width, width);
        Tensor("blk.0.attn_k.weight", width, width / 2);
        Tensor("blk.0.attn_v.weight", width, width / 2);
        Tensor("blk.0.attn_output.weight", width, width);
        Tensor("blk.0.ffn_norm.weight", width);
        Tensor("blk.0.ffn_gate.weight", width, 32);
        Tensor("blk.0.ffn_up.weight", width, 32);
        Tensor("blk.0.ffn_down.weight", 32, width);
        return writer;

        void Value(string key, Action<GgufWriter> set)
        {
            if (key != without)
            {
                set(writer);
            }
        }

        void Tensor(string name, params long[] dimensions)
        {
            if (name != without)
            {
                writer.Add(name, random, dimensions);
            }
        }
    }
}
