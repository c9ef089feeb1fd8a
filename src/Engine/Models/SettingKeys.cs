using Serving.Engine.Formats;

namespace Serving.Engine.Models;

/// <summary>The settings that the families share. What only one family has stands in its spec.</summary>
internal static class SettingKeys
{
    public static SettingKey Layers { get; } = new("block_count", "num_hidden_layers");

    /// <summary>Layers after the last one that predict further tokens (DeepSeek's MTP); they take no part in an answer.</summary>
    public static SettingKey PredictionLayers { get; } = new("nextn_predict_layers");

    public static SettingKey Width { get; } = new("embedding_length", "hidden_size");

    public static SettingKey FeedForwardWidth { get; } = new("feed_forward_length", "intermediate_size");

    public static SettingKey Heads { get; } = new("attention.head_count", "num_attention_heads");

    public static SettingKey KvHeads { get; } = new("attention.head_count_kv", "num_key_value_heads");

    public static SettingKey KeyLength { get; } = new("attention.key_length", "head_dim");

    public static SettingKey ValueLength { get; } = new("attention.value_length");

    public static SettingKey NormEpsilon { get; } = new("attention.layer_norm_rms_epsilon", "rms_norm_eps");

    public static SettingKey ContextLength { get; } = new("context_length", "max_position_embeddings");

    public static SettingKey VocabularySize { get; } = new("vocab_size", "vocab_size");

    public static SettingKey Activation { get; } = new(null, "hidden_activation", "hidden_act");

    public static SettingKey TiedEmbedding { get; } = new(null, "tie_word_embeddings");

    public static SettingKey Window { get; } = new("attention.sliding_window", "sliding_window");

    public static SettingKey AttentionSoftcap { get; } = new("attn_logit_softcapping", "attn_logit_softcapping");

    public static SettingKey LogitSoftcap { get; } = new("final_logit_softcapping", "final_logit_softcapping");

    public static SettingKey RopeDims { get; } = new("rope.dimension_count");

    public static SettingKey RopeTheta { get; } = new("rope.freq_base");

    public static SettingKey Experts { get; } = new("expert_count", "num_experts", "num_local_experts", "n_routed_experts");

    public static SettingKey ExpertsUsed { get; } = new("expert_used_count", "num_experts_per_tok");

    public static SettingKey ExpertWidth { get; } = new("expert_feed_forward_length", "moe_intermediate_size");

    public static SettingKey ExpertWeightsNormalized { get; } = new("expert_weights_norm", "norm_topk_prob");
}
