using System.Text.Json;

namespace Serving.Text.Tokenization.Json;

/// <summary>Reads tokenizer.json's <c>post_processor</c> as far as it concerns one text: the ids before and after it.</summary>
internal sealed class PostProcessorReader
{
    private readonly List<int> _prefix = [];
    private readonly List<int> _suffix = [];

    public IReadOnlyList<int> PrefixIds => _prefix;

    public IReadOnlyList<int> SuffixIds => _suffix;

    public void Read(JsonFields fields)
    {
        string type = fields.String("type");
        switch (type)
        {
            case "Sequence":
                int index = 0;
                foreach (JsonElement item in fields.Array("processors").EnumerateArray())
                {
                    Read(new JsonFields(item, $"{fields.PathOf("processors")}[{index++}]"));
                }

                break;
            case "ByteLevel":
                // It moves offsets, which nobody here asks for.
                fields.Ignore("add_prefix_space", "trim_offsets", "use_regex");
                break;
            case "TemplateProcessing":
                ReadTemplate(fields);
                break;
            case "BertProcessing" or "RobertaProcessing":
                fields.Ignore("trim_offsets", "add_prefix_space");
                Surround([ReadPairId(fields, "cls")], [ReadPairId(fields, "sep")]);
                break;
            default:
                throw new TokenizerFormatException(fields.PathOf("type"), $"'{type}' is not a post-processor that is supported (TemplateProcessing, "
                    + "ByteLevel, BertProcessing, RobertaProcessing, Sequence).");
        }

        fields.End();
    }

    private void ReadTemplate(JsonFields fields)
    {
        fields.Ignore("pair");
        JsonFields specials = fields.Object("special_tokens");
        List<int> before = [];
        List<int> after = [];
        bool seenText = false;
        int index = 0;
        foreach (JsonElement item in fields.Array("single").EnumerateArray())
        {
            JsonFields piece = new(item, $"{fields.PathOf("single")}[{index++}]");
            if (piece.Optional("Sequence") is not null)
            {
                if (seenText)
                {
                    throw new TokenizerFormatException(piece.Path, "names the text a second time; once is supported.");
                }

                seenText = true;
            }
            else
            {
                (seenText ? after : before).AddRange(ReadIds(specials, piece.Object("SpecialToken").String("id")));
            }

            piece.End();
        }

        if (!seenText)
        {
            throw new TokenizerFormatException(fields.PathOf("single"), "has no place for the text.");
        }

        Surround(before, after);
    }

    private static List<int> ReadIds(JsonFields specials, string name)
    {
        JsonFields special = specials.Object(name);
        List<int> ids = [];
        foreach (JsonElement id in special.Array("ids").EnumerateArray())
        {
            ids.Add(JsonFields.AsInt(id, special.PathOf("ids")));
        }

        return ids;
    }

    private static int ReadPairId(JsonFields fields, string name)
    {
        JsonElement pair = fields.Array(name);
        return pair.GetArrayLength() == 2
            ? JsonFields.AsInt(pair[1], fields.PathOf(name))
            : throw new TokenizerFormatException(fields.PathOf(name), "must hold a token and its id.");
    }

    /// <summary>A later processor works on what an earlier one has surrounded already.</summary>
    private void Surround(List<int> before, List<int> after)
    {
        _prefix.InsertRange(0, before);
        _suffix.AddRange(after);
    }
}
