using System.Globalization;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Formats.Gguf;

/// <summary>
/// Decides the element format of every tensor of a GGUF file that is to be written, by the rules of llama.cpp's quantize except where said:
/// <list type="bullet">
/// <item>Vectors, norms, biases and router gates (<c>ffn_gate_inp</c>) are F32: they are small, and what they do is sensitive.</item>
/// <item>The output matrix (the embedding where it is tied) decides every token: Q6_K in the K formats as llama.cpp does, Q8_0 in the others. llama.cpp takes Q6_K there
/// too; Q8_0 needs no rows of 256 and is nearer to the original, for two bits an element of one matrix.</item>
/// <item>q4_k and q5_k are the mixes called Q4_K_M and Q5_K_M: <c>attn_v</c> and <c>ffn_down</c> are Q6_K in the first and last eighth of the layers and in every third
/// between; a fused <c>attn_qkv</c> gets one format better.</item>
/// <item>Rows that are not whole blocks fall back: Q4_K to Q5_0, Q5_K to Q5_1, Q6_K to Q8_0, and where even 32 does not divide them, to F16.</item>
/// </list>
/// </summary>
public sealed class QuantizationPlan
{
    private static readonly (string Name, GgmlType Type, int FileType)[] _targets =
    [
        ("f32", GgmlType.F32, 0), ("f16", GgmlType.F16, 1), ("bf16", GgmlType.BF16, 32), ("q4_0", GgmlType.Q4_0, 2), ("q4_1", GgmlType.Q4_1, 3), ("q5_0", GgmlType.Q5_0, 8),
        ("q5_1", GgmlType.Q5_1, 9), ("q8_0", GgmlType.Q8_0, 7), ("q4_k", GgmlType.Q4_K, 15), ("q5_k", GgmlType.Q5_K, 17), ("q6_k", GgmlType.Q6_K, 18),
    ];

    private readonly int _layerCount;
    private readonly bool _outputIsEmbedding;

    /// <param name="target">A format that <see cref="TryParse"/> gives.</param>
    /// <param name="layerCount">Layers of the model (<c>block_count</c>).</param>
    /// <param name="outputIsEmbedding">Whether there is no <c>output.weight</c>.</param>
    public QuantizationPlan(GgmlType target, int layerCount, bool outputIsEmbedding)
    {
        Target = target;
        FileType = Array.Find(_targets, known => known.Type == target) is { Name: not null } found
            ? found.FileType
            : throw new ArgumentOutOfRangeException(nameof(target), target, "This is not a format that files are written in.");
        _layerCount = layerCount;
        _outputIsEmbedding = outputIsEmbedding;
    }

    /// <summary>What most matrices get.</summary>
    public GgmlType Target { get; }

    /// <summary><c>general.file_type</c>: llama.cpp's number for the mix.</summary>
    public int FileType { get; }

    /// <summary>The names that <see cref="TryParse"/> knows, for help texts and errors.</summary>
    public static string Names => string.Join(", ", Array.ConvertAll(_targets, target => target.Name));

    /// <summary>Finds a format by its name, in either case: <c>q8_0</c>.</summary>
    public static bool TryParse(string name, out GgmlType target)
    {
        (string Name, GgmlType Type, int FileType) found = Array.Find(_targets, known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        target = found.Type;
        return found.Name is not null;
    }

    /// <summary>The format of a tensor.</summary>
    /// <param name="name">Its GGUF name: <c>blk.3.ffn_down.weight</c>.</param>
    /// <param name="dimensions">The contiguous one first, as GGUF has them.</param>
    public GgmlType TypeOf(string name, IReadOnlyList<long> dimensions)
    {
        if (dimensions.Count < 2 || !name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith("_norm.weight", StringComparison.Ordinal)
            || name.Contains(".ffn_gate_inp", StringComparison.Ordinal))
        {
            return GgmlType.F32;
        }

        return Target is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 ? Target : FitToRow(Wish(name), dimensions[0]);
    }

    private GgmlType Wish(string name)
    {
        bool isMix = Target is GgmlType.Q4_K or GgmlType.Q5_K;
        if (name == "output.weight" || (_outputIsEmbedding && name == "token_embd.weight"))
        {
            return isMix || Target == GgmlType.Q6_K ? GgmlType.Q6_K : GgmlType.Q8_0;
        }

        if (isMix && (name.Contains(".attn_v.", StringComparison.Ordinal) || name.Contains(".ffn_down", StringComparison.Ordinal)))
        {
            return GetsMoreBits(Layer(name)) ? GgmlType.Q6_K : Target;
        }

        if (isMix && name.Contains(".attn_qkv.", StringComparison.Ordinal))
        {
            return Target == GgmlType.Q4_K ? GgmlType.Q5_K : GgmlType.Q6_K;
        }

        return Target;
    }

    private bool GetsMoreBits(int layer) =>
        layer < _layerCount / 8 || layer >= 7 * _layerCount / 8 || (layer - (_layerCount / 8)) % 3 == 2;

    private static int Layer(string name)
    {
        string[] parts = name.Split('.');
        return parts.Length > 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : 0;
    }

    private static GgmlType FitToRow(GgmlType type, long rowElements)
    {
        if (rowElements % BlockDecoder.BlockElements(type) == 0)
        {
            return type;
        }

        return type switch
        {
            GgmlType.Q4_K => FitToRow(GgmlType.Q5_0, rowElements),
            GgmlType.Q5_K => FitToRow(GgmlType.Q5_1, rowElements),
            GgmlType.Q6_K => FitToRow(GgmlType.Q8_0, rowElements),
            _ => GgmlType.F16,
        };
    }
}
