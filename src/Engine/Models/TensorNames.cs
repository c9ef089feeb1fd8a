using System.Globalization;
using Serving.Engine.Formats;

namespace Serving.Engine.Models;

/// <summary>
/// What a format calls the tensors that the blocks name. The blocks use GGUF's names without the layer's prefix and the suffix (<c>attn_q</c>); a family
/// adds what is called otherwise there.
/// </summary>
internal sealed class TensorNames
{
    private const string NestedHead = "language_model.lm_head.weight";

    private static readonly string[] _huggingFacePrefixes = ["model.", "language_model.model.", "model.language_model.", ""];

    private static readonly Dictionary<string, string> _huggingFace = new(StringComparer.Ordinal)
    {
        ["token_embd"] = "embed_tokens",
        ["output_norm"] = "norm",
        ["attn_norm"] = "input_layernorm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_qkv"] = "self_attn.qkv_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["attn_q_norm"] = "self_attn.q_norm",
        ["attn_k_norm"] = "self_attn.k_norm",
        ["attn_q_a"] = "self_attn.q_a_proj",
        ["attn_q_a_norm"] = "self_attn.q_a_layernorm",
        ["attn_q_b"] = "self_attn.q_b_proj",
        ["attn_kv_a_mqa"] = "self_attn.kv_a_proj_with_mqa",
        ["attn_kv_a_norm"] = "self_attn.kv_a_layernorm",
        ["attn_kv_b"] = "self_attn.kv_b_proj",
        ["ffn_norm"] = "post_attention_layernorm",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_gate_up"] = "mlp.gate_up_proj",
        ["ffn_down"] = "mlp.down_proj",
        ["ffn_gate_inp"] = "mlp.gate",
        ["ffn_gate_exps"] = "mlp.experts.{0}.gate_proj",
        ["ffn_up_exps"] = "mlp.experts.{0}.up_proj",
        ["ffn_down_exps"] = "mlp.experts.{0}.down_proj",
        ["ffn_gate_inp_shexp"] = "mlp.shared_expert_gate",
        ["ffn_gate_shexp"] = "mlp.shared_expert.gate_proj",
        ["ffn_up_shexp"] = "mlp.shared_expert.up_proj",
        ["ffn_down_shexp"] = "mlp.shared_expert.down_proj",
    };

    private readonly ModelFormat _format;
    private readonly string _prefix = "";
    private readonly IReadOnlyDictionary<string, string> _ofFamily;

    /// <summary>The names in GGUF.</summary>
    public TensorNames(IReadOnlyDictionary<string, string> ofFamily)
    {
        _format = ModelFormat.Gguf;
        _ofFamily = ofFamily;
        Output = "output.weight";
    }

    public TensorNames(ModelSource source, IReadOnlyDictionary<string, string> ofFamily)
    {
        _format = source.Format;
        _ofFamily = ofFamily;
        Output = "output.weight";
        if (_format == ModelFormat.HuggingFace)
        {
            Output = source.FindTensor(NestedHead) is null ? "lm_head.weight" : NestedHead;

            // Checkpoints of models that also see pictures hold the language model under a name of its own.
            _prefix = Array.Find(_huggingFacePrefixes, prefix => source.FindTensor($"{prefix}{_huggingFace["token_embd"]}.weight") is not null) ?? _huggingFacePrefixes[0];
        }
    }

    /// <summary>Every name that a layer's tensors can have in the blocks.</summary>
    public IEnumerable<string> LayerNames
    {
        get
        {
            foreach (string name in _huggingFace.Keys)
            {
                if (name is not ("token_embd" or "output_norm"))
                {
                    yield return name;
                }
            }

            foreach (string name in _ofFamily.Keys)
            {
                if (!_huggingFace.ContainsKey(name))
                {
                    yield return name;
                }
            }
        }
    }

    /// <summary>A tensor outside the layers: <c>token_embd</c> → <c>model.embed_tokens.weight</c>.</summary>
    public string Global(string name) => _format == ModelFormat.HuggingFace ? $"{_prefix}{Local(name)}.weight" : $"{Local(name)}.weight";

    /// <summary>The projection onto the vocabulary, where it is not the embedding.</summary>
    public string Output { get; }

    /// <summary>A tensor of a layer, without its suffix: <c>attn_q</c> → <c>blk.3.attn_q</c>.</summary>
    public string Layer(int layer, string name) => _format == ModelFormat.HuggingFace
        ? string.Create(CultureInfo.InvariantCulture, $"{_prefix}layers.{layer}.{Local(name)}")
        : string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.{Local(name)}");

    /// <summary>A tensor of one expert, where each has tensors of its own.</summary>
    public string Expert(int layer, int expert, string name) => string.Format(CultureInfo.InvariantCulture, Layer(layer, name), expert);

    private string Local(string name)
    {
        if (_ofFamily.TryGetValue(name, out string? ofFamily))
        {
            return ofFamily;
        }

        return _format == ModelFormat.HuggingFace && _huggingFace.TryGetValue(name, out string? common) ? common : name;
    }
}
