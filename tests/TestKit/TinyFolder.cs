namespace Serving.TestKit;

/// <summary>The files of a Hugging Face folder of a few kilobytes: a Llama with pseudo-random weights and a vocabulary of 24 tokens.</summary>
public static class TinyFolder
{
    private const int Width = 16;

    public const string Config = """
        {
          "model_type": "llama", "architectures": ["LlamaForCausalLM"], "torch_dtype": "float32", "bos_token_id": 0, "eos_token_id": [1, 2],
          "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
          "hidden_act": "silu", "vocab_size": 24, "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
          "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
          "attention_bias": false, "mlp_bias": false, "sliding_window": null, "tie_word_embeddings": true, "transformers_version": "5.23.0"
        }
        """;

    public const string TokenizerConfig = """
        {"bos_token": "<s>", "eos_token": {"__type": "AddedToken", "content": "</s>", "special": true}, "add_bos_token": true,
         "chat_template": [{"name": "default", "template": "{{ messages[0].content }}"}, {"name": "tool_use", "template": "{{ tools }}"}]}
        """;

    public const string Generation = """
        {"eos_token_id": [1, 2], "do_sample": true, "temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0.0, "repetition_penalty": 1.05}
        """;

    public const string Tokenizer = """
        {
          "version": "1.0", "truncation": null, "padding": null,
          "added_tokens": [
            {"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
            {"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": true, "normalized": false, "special": true},
            {"id": 2, "content": "<tool>", "single_word": true, "lstrip": true, "rstrip": false, "normalized": true, "special": false}],
          "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]},
          "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
          "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
          "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": {"a": 3, "b": 4, "c": 5, "d": 6, "e": 7, "h": 8, "l": 9, "o": 10, "r": 11, "w": 12, "\u0120": 13, "1": 14, "2": 15, "3": 16,
              "he": 17, "ll": 18, "hell": 19, "hello": 20, "wo": 21, "rl": 22, "\u0120wo": 23},
            "merges": [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"], "w o", "r l", ["\u0120", "wo"]]}
        }
        """;

    public static SafetensorsWriter Weights()
    {
        var random = new Random(1);
        return new SafetensorsWriter()
            .Add("model.embed_tokens.weight", random, 24, Width)
            .Add("model.norm.weight", random, Width)
            .Add("model.layers.0.input_layernorm.weight", random, Width)
            .Add("model.layers.0.self_attn.q_proj.weight", random, 16, Width)
            .Add("model.layers.0.self_attn.k_proj.weight", random, 8, Width)
            .Add("model.layers.0.self_attn.v_proj.weight", random, 8, Width)
            .Add("model.layers.0.self_attn.o_proj.weight", random, Width, 16)
            .Add("model.layers.0.post_attention_layernorm.weight", random, Width)
            .Add("model.layers.0.mlp.gate_proj.weight", random, 32, Width)
            .Add("model.layers.0.mlp.up_proj.weight", random, 32, Width)
            .Add("model.layers.0.mlp.down_proj.weight", random, Width, 32);
    }

    /// <summary>The index of weights in <paramref name="shards"/>, which are called <see cref="Shard"/>.</summary>
    public static string Index(SafetensorsWriter[] shards)
    {
        IEnumerable<string> entries = shards.SelectMany((shard, i) => shard.Names.Select(name => $"\"{name}\": \"{Shard(i, shards.Length)}\""));
        return $$$"""{"metadata": {"total_size": 1}, "weight_map": {{{{string.Join(", ", entries)}}}}}""";
    }

    public static string Shard(int index, int count) => $"model-{index + 1:D5}-of-{count:D5}.safetensors";

    /// <summary>Writes all but the weights.</summary>
    public static void WriteTexts(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), Config);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Tokenizer);
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), TokenizerConfig);
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), Generation);
    }

    public static void WriteWhole(string folder)
    {
        WriteTexts(folder);
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors"), Weights().ToArray());
    }

    /// <summary>Writes the model with its weights in several files.</summary>
    public static void WriteSharded(string folder, int count)
    {
        WriteTexts(folder);
        SafetensorsWriter[] shards = Weights().Split(count);
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), Index(shards));
        for (int i = 0; i < count; i++)
        {
            File.WriteAllBytes(Path.Combine(folder, Shard(i, count)), shards[i].ToArray());
        }
    }
}
