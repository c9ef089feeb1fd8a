using System.Text.Json;
using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization.Json;

/// <summary>Reads tokenizer.json's <c>pre_tokenizer</c> into a flat list of stages.</summary>
internal sealed class PreTokenizerReader
{
    /// <summary>GPT-2's expression, which ByteLevel brings along.</summary>
    public const string ByteLevelRegex = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private readonly List<PreTokenizer> _stages = [];

    public IReadOnlyList<PreTokenizer> Stages => _stages;

    /// <summary>Whether the pieces are to be encoded as bytes.</summary>
    public bool ByteLevel { get; private set; }

    public void Read(JsonFields fields)
    {
        if (ByteLevel)
        {
            throw new TokenizerFormatException(fields.Path, "comes after ByteLevel; it is supported only as the last pre-tokenizer.");
        }

        string type = fields.String("type");
        switch (type)
        {
            case "Sequence":
                ReadSequence(fields);
                break;
            case "ByteLevel":
                ReadByteLevel(fields);
                break;
            case "Split":
                ISplitPattern pattern = PatternReader.Read(fields.Object("pattern"));
                _stages.Add(new SplitPreTokenizer(pattern, ReadBehavior(fields), fields.Bool("invert", false)));
                break;
            case "Digits":
                SplitBehavior digits = fields.Bool("individual_digits", false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous;
                _stages.Add(new SplitPreTokenizer(new ClassPattern(CharacterClass.Number), digits));
                break;
            case "Punctuation":
                _stages.Add(new SplitPreTokenizer(
                    new ClassPattern(CharacterClass.Punctuation | CharacterClass.AsciiPunctuation), ReadBehavior(fields, SplitBehavior.Isolated)));
                break;
            case "Whitespace":
                _stages.Add(new SplitPreTokenizer(new WordPattern(), SplitBehavior.Removed, invert: true));
                break;
            case "WhitespaceSplit":
                _stages.Add(new SplitPreTokenizer(new ClassPattern(CharacterClass.WhiteSpace), SplitBehavior.Removed));
                break;
            case "BertPreTokenizer":
                AddBert(_stages);
                break;
            case "CharDelimiterSplit":
                _stages.Add(new SplitPreTokenizer(new LiteralPattern(fields.Char("delimiter").ToString()), SplitBehavior.Removed));
                break;
            case "Metaspace":
                _stages.Add(new MetaspacePreTokenizer(fields.Char("replacement"), ReadPrepend(fields), fields.Bool("split", true)));
                break;
            default:
                throw new TokenizerFormatException(fields.PathOf("type"), $"'{type}' is not a pre-tokenizer that is supported (ByteLevel, Split, "
                    + "Digits, Punctuation, Whitespace, WhitespaceSplit, BertPreTokenizer, CharDelimiterSplit, Metaspace, Sequence).");
        }

        fields.End();
    }

    /// <summary>BERT's two stages: at white space, then around each punctuation mark.</summary>
    public static void AddBert(List<PreTokenizer> stages)
    {
        stages.Add(new SplitPreTokenizer(new ClassPattern(CharacterClass.WhiteSpace), SplitBehavior.Removed));
        stages.Add(new SplitPreTokenizer(new ClassPattern(CharacterClass.Punctuation | CharacterClass.AsciiPunctuation), SplitBehavior.Isolated));
    }

    /// <summary>Metaspace's <c>prepend_scheme</c>, or what older files said for it; decoders have the same fields.</summary>
    public static MetaspacePrepend ReadPrepend(JsonFields fields)
    {
        MetaspacePrepend older = fields.Bool("add_prefix_space", true) ? MetaspacePrepend.Always : MetaspacePrepend.Never;
        fields.Ignore("str_rep");
        string? scheme = fields.OptionalString("prepend_scheme");
        return scheme switch
        {
            null => older,
            "always" => MetaspacePrepend.Always,
            "never" => MetaspacePrepend.Never,
            "first" => MetaspacePrepend.First,
            _ => throw new TokenizerFormatException(fields.PathOf("prepend_scheme"), $"is '{scheme}'; always, never and first are known."),
        };
    }

    private void ReadSequence(JsonFields fields)
    {
        int index = 0;
        foreach (JsonElement item in fields.Array("pretokenizers").EnumerateArray())
        {
            Read(new JsonFields(item, $"{fields.PathOf("pretokenizers")}[{index++}]"));
        }
    }

    private void ReadByteLevel(JsonFields fields)
    {
        fields.Ignore("trim_offsets");
        if (fields.Bool("add_prefix_space", true))
        {
            _stages.Add(new SpacePrefixPreTokenizer());
        }

        if (fields.Bool("use_regex", true))
        {
            _stages.Add(new SplitPreTokenizer(ScannerPattern.TryCreate(ByteLevelRegex)!, SplitBehavior.Isolated));
        }

        ByteLevel = true;
    }

    private static SplitBehavior ReadBehavior(JsonFields fields, SplitBehavior? otherwise = null)
    {
        string? behavior = fields.OptionalString("behavior");
        if (behavior is null && otherwise is SplitBehavior missing)
        {
            return missing;
        }

        return Enum.GetNames<SplitBehavior>().Contains(behavior)
            ? Enum.Parse<SplitBehavior>(behavior!)
            : throw new TokenizerFormatException(fields.PathOf("behavior"), $"is '{behavior}'; {string.Join(", ", Enum.GetNames<SplitBehavior>())} are known.");
    }
}
