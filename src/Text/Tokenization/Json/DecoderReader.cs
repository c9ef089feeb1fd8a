using System.Text.Json;
using Serving.Text.Tokenization.Decoding;

namespace Serving.Text.Tokenization.Json;

/// <summary>
/// Reads tokenizer.json's <c>decoder</c> into stages that work token by token. What a decoder does after Fuse it does to the whole text;
/// of that, only what comes to the same token by token is supported.
/// </summary>
internal sealed class DecoderReader
{
    private readonly List<TokenDecoder> _stages = [];
    private bool _fused;

    public IReadOnlyList<TokenDecoder> Stages => _stages;

    public void Read(JsonFields fields)
    {
        string type = fields.String("type");
        switch (type)
        {
            case "Sequence":
                int index = 0;
                foreach (JsonElement item in fields.Array("decoders").EnumerateArray())
                {
                    Read(new JsonFields(item, $"{fields.PathOf("decoders")}[{index++}]"));
                }

                break;
            case "ByteLevel":
                fields.Ignore("add_prefix_space", "trim_offsets", "use_regex");
                _stages.Add(TokenDecoders.ByteLevel);
                _fused = true;
                break;
            case "ByteFallback":
                _stages.Add(TokenDecoders.ByteFallback);
                break;
            case "Fuse":
                _fused = true;
                break;
            case "Replace":
                _stages.Add(ReadReplace(fields));
                break;
            case "Strip":
                _stages.Add(ReadStrip(fields));
                break;
            case "Metaspace":
                fields.Ignore("split");
                _stages.Add(TokenDecoders.Metaspace(fields.Char("replacement"), PreTokenizerReader.ReadPrepend(fields)));
                break;
            case "WordPiece":
                _stages.Add(TokenDecoders.WordPiece(fields.String("prefix"), fields.Bool("cleanup", true)));
                break;
            default:
                throw new TokenizerFormatException(fields.PathOf("type"), $"'{type}' is not a decoder that is supported (ByteLevel, ByteFallback, Fuse, "
                    + "Replace, Strip, Metaspace, WordPiece, Sequence).");
        }

        fields.End();
    }

    private TokenDecoder ReadReplace(JsonFields fields)
    {
        JsonFields pattern = fields.Object("pattern");
        string literal = pattern.OptionalString("String") ?? "";
        pattern.End();
        if (literal.Length == 0 || (_fused && literal.Length > 1))
        {
            throw new TokenizerFormatException(fields.PathOf("pattern"), _fused
                ? "after Fuse only a String of one character is supported."
                : "only a String that is not empty is supported.");
        }

        return TokenDecoders.Replace(literal, fields.String("content"));
    }

    private TokenDecoder ReadStrip(JsonFields fields)
    {
        char content = fields.Char("content");
        int start = fields.Int("start");
        int stop = fields.Int("stop");
        if (!_fused)
        {
            return TokenDecoders.Strip(content, start, stop);
        }

        return start == 1 && stop == 0 && char.IsAscii(content)
            ? TokenDecoders.StripTextStart(content)
            : throw new TokenizerFormatException(fields.Path, "after Fuse only start 1 and stop 0 with an ASCII character are supported.");
    }
}
