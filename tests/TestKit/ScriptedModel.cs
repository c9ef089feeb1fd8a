using System.Text;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;

namespace Serving.TestKit;

/// <summary>
/// A GGUF Llama whose answers are scripts, so that a whole platform can be tested on what a model might say: real tokenizer, real engine, logits that leave
/// one choice. A prompt starts a script by ending with its special token. Every piece of a script is a token of its own, which names its successor; markers,
/// which may occur several times, are told apart by the last such token before them, which one layer of attention finds: keys grow along a script.
/// </summary>
public sealed class ScriptedModel
{
    private const string Eos = "<|eos|>";
    private const int HeadSize = 64;
    private const int ByteTokens = 256;
    private const int PieceBytesMax = 7;

    // Sharp: one more in the key is e^50 in the weight.
    private const float Query = 50 * 8;

    private static readonly char[] Letters = Alphabet();

    private readonly List<string> _tokens = [];
    private readonly List<bool> _isSpecial = [];
    private readonly Dictionary<int, int> _keys = [];
    private readonly List<(int Token, int Latest, int Next)> _transitions = [];
    private readonly List<string> _names = [];
    private readonly string _template;
    private readonly string[] _markers;

    /// <param name="template">The chat template up to the answer; what starts the script is added.</param>
    /// <param name="markers">Special tokens that scripts may contain.</param>
    public ScriptedModel(string template, params string[] markers)
    {
        _template = template;
        _markers = markers;
        Add(Eos, isSpecial: true);
        Array.ForEach(markers, marker => Add(marker, isSpecial: true));
    }

    /// <summary>The text with which prompts are to end, if it matters: it becomes a part of the token that starts a script.</summary>
    public string PromptEnd { get; init; } = "";

    /// <summary>
    /// What the model answers when the last message of the user, results of tools aside, is <paramref name="name"/>; when results have come since, it is
    /// <c>NAME-result</c>. Any other message, a platform's warm-up for one, gets the first answer.
    /// </summary>
    /// <param name="pieceBytes">How long the pieces are into which the text is cut; 0: from one to seven bytes, in turn. Neither minds characters.</param>
    public ScriptedModel Answer(string name, string text, int pieceBytes = 0)
    {
        _names.Add(name);
        int token = Add(Start(name), isSpecial: true);
        int latest = token;
        int key = 1;
        _keys[token] = key;
        foreach (int next in Pieces(text, pieceBytes).Append(_tokens.IndexOf(Eos)))
        {
            _transitions.Add((token, latest, next));
            token = next;
            if (!_isSpecial[next])
            {
                latest = next;
                _keys[next] = ++key;
            }
        }

        return this;
    }

    public byte[] ToArray()
    {
        // Of tokens that are written alike a tokenizer takes the last: text becomes these, never a script's pieces.
        string[] tokens = [.. _tokens, .. Enumerable.Range(0, ByteTokens).Select(value => ByteLevel([(byte)value]))];
        int width = (tokens.Length + HeadSize - 1) / HeadSize * HeadSize;
        ILookup<int, (int Token, int Latest, int Next)> sources = _transitions.ToLookup(transition => transition.Next);
        uint heads = (uint)(width / HeadSize);
        return new GgufWriter()
            .Set("general.architecture", "llama")
            .Set("general.name", "scripted")
            .Set("llama.block_count", 1u)
            .Set("llama.context_length", 8192u)
            .Set("llama.embedding_length", (uint)width)
            .Set("llama.feed_forward_length", (uint)HeadSize)
            .Set("llama.attention.head_count", heads)
            .Set("llama.attention.head_count_kv", heads)
            .Set("llama.attention.layer_norm_rms_epsilon", 1e-6f)
            // So slow that the pair of dimensions that is used does not turn.
            .Set("llama.rope.freq_base", 1e12f)
            .Set("tokenizer.ggml.model", "gpt2")
            .Set("tokenizer.ggml.pre", "gpt-2")
            .Set("tokenizer.ggml.tokens", tokens)
            .Set("tokenizer.ggml.token_type", GgufValueType.Array, WriteTypes)
            .Set("tokenizer.ggml.merges", Array.Empty<string>())
            .Set("tokenizer.ggml.eos_token_id", (uint)_tokens.IndexOf(Eos))
            .Set("tokenizer.chat_template", _template + StartingTemplate())
            .Add("token_embd.weight", width, tokens.Length, Embedding)
            .Add("output.weight", width, tokens.Length, (next, dimension) => Output(sources[next], dimension))
            .Add("output_norm.weight", width, 1, (_, _) => 16)
            .Add("blk.0.attn_norm.weight", width, 1, (_, _) => 1)
            .Add("blk.0.attn_q.weight", width, width, (row, _) => IsUsed(row) ? Query / MathF.Sqrt(width) : 0)
            .Add("blk.0.attn_k.weight", width, width, (row, token) => IsUsed(row) ? _keys.GetValueOrDefault(token) / MathF.Sqrt(width) : 0)
            .Add("blk.0.attn_v.weight", width, width, (row, token) => row == token ? 1 / MathF.Sqrt(width) : 0)
            .Add("blk.0.attn_output.weight", width, width, (row, dimension) => row == dimension ? 1 : 0)
            .Add("blk.0.ffn_norm.weight", width, 1, (_, _) => 1)
            .Add("blk.0.ffn_gate.weight", width, HeadSize, (_, _) => 0)
            .Add("blk.0.ffn_up.weight", width, HeadSize, (_, _) => 0)
            .Add("blk.0.ffn_down.weight", HeadSize, width, (_, _) => 0)
            .ToArray();

        static float Embedding(int token, int dimension) => token == dimension ? 1 : 0;

        // The last dimension of a head turns slowest.
        static bool IsUsed(int row) => row % HeadSize == HeadSize - 1;
    }

    /// <summary>A hidden state is the sum of the token's own vector and the latest piece's; for a piece that is twice its own.</summary>
    private static float Output(IEnumerable<(int Token, int Latest, int Next)> transitions, int dimension)
    {
        float weight = 0;
        foreach ((int token, int latest, _) in transitions)
        {
            weight = Math.Max(weight, token == latest ? (dimension == token ? 1.5f : 0) : dimension == token || dimension == latest ? 1 : 0);
        }

        return weight;
    }

    /// <summary>Cuts a text into markers and pieces, each piece a new token.</summary>
    private IEnumerable<int> Pieces(string text, int pieceBytes)
    {
        int pieces = 0;
        while (text.Length > 0)
        {
            (int at, string marker) = _markers
                .Select(marker => (At: text.IndexOf(marker, StringComparison.Ordinal), marker))
                .Where(found => found.At >= 0)
                .OrderBy(found => found.At)
                .FirstOrDefault((text.Length, ""));
            byte[] bytes = Encoding.UTF8.GetBytes(text[..at]);
            for (int start = 0, count; start < bytes.Length; start += count)
            {
                count = Math.Min(pieceBytes > 0 ? pieceBytes : (pieces++ % PieceBytesMax) + 1, bytes.Length - start);
                yield return Add(ByteLevel(bytes.AsSpan(start, count)), isSpecial: false);
            }

            if (marker.Length > 0)
            {
                yield return _tokens.IndexOf(marker);
            }

            text = text[(at + marker.Length)..];
        }
    }

    private int Add(string token, bool isSpecial)
    {
        _tokens.Add(token);
        _isSpecial.Add(isSpecial);
        return _tokens.Count - 1;
    }

    private string Start(string name) => $"<|script:{name}|>{PromptEnd}";

    private string StartingTemplate()
    {
        StringBuilder template = new(
            "{%- set script = namespace(name='', result='') -%}{%- for m in messages -%}"
            + "{%- if m.role == 'tool' or (m.role == 'user' and m.content.startswith('<tool_response>')) -%}{%- set script.result = '-result' -%}"
            + "{%- elif m.role == 'user' -%}{%- set script.name = m.content -%}{%- set script.result = '' -%}{%- endif -%}{%- endfor -%}"
            + "{%- set script.name = script.name ~ script.result -%}");
        for (int i = 0; i < _names.Count; i++)
        {
            template.Append($"{{%- {(i == 0 ? "if" : "elif")} script.name == '{_names[i]}' -%}}{Start(_names[i])}");
        }

        return template.Append($"{{%- else -%}}{Start(_names[0])}{{%- endif -%}}").ToString();
    }

    private void WriteTypes(BinaryWriter writer)
    {
        const int normal = 1;
        const int control = 3;
        writer.Write((int)GgufValueType.Int32);
        writer.Write((ulong)(_isSpecial.Count + ByteTokens));
        foreach (bool isSpecial in _isSpecial.Concat(Enumerable.Repeat(false, ByteTokens)))
        {
            writer.Write(isSpecial ? control : normal);
        }
    }

    /// <summary>Bytes in GPT-2's alphabet of printable characters.</summary>
    private static string ByteLevel(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        foreach (byte value in bytes)
        {
            text.Append(Letters[value]);
        }

        return text.ToString();
    }

    private static char[] Alphabet()
    {
        char[] alphabet = new char[ByteTokens];
        int others = 0;
        for (int value = 0; value < ByteTokens; value++)
        {
            alphabet[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : (char)(ByteTokens + others++);
        }

        return alphabet;
    }
}
