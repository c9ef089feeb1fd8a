using System.Text.Json;
using Serving.Text.Tokenization;

namespace Serving.Engine.Formats.HuggingFace;

/// <summary>What a Hugging Face folder says of text: tokenizer.json, tokenizer_config.json, chat_template.jinja, generation_config.json.</summary>
internal static class HuggingFaceText
{
    public const string TokenizerFile = "tokenizer.json";
    private const string TemplateField = "chat_template";
    private const long TemplateBytesMax = 1 << 20;

    /// <param name="settings">config.json, for what generation_config.json leaves out.</param>
    /// <exception cref="ModelFormatException">A file is missing or cannot be used.</exception>
    public static ModelText Read(string folder, HuggingFaceSettings settings)
    {
        JsonFields? tokenizerConfig = Find(folder, "tokenizer_config.json");
        JsonFields? generation = Find(folder, "generation_config.json");
        JsonFields? special = Find(folder, "special_tokens_map.json");
        string tokenizerPath = Path.Combine(folder, TokenizerFile);
        if (!File.Exists(tokenizerPath))
        {
            throw new ModelFormatException(folder, null, "the folder", MissingTokenizer(folder));
        }

        var options = new TokenizerJsonOptions
        {
            BeginOfText = Token(tokenizerConfig, "bos_token") ?? Token(special, "bos_token"),
            EndOfText = Token(tokenizerConfig, "eos_token") ?? Token(special, "eos_token"),
            AddBeginOfText = tokenizerConfig?.FindBool("add_bos_token") ?? false,
            AddEndOfText = tokenizerConfig?.FindBool("add_eos_token") ?? false,
            EndOfGenerationIds = Ids(generation, "eos_token_id") ?? Ids(settings.Root, "eos_token_id") ?? Ids(settings.Config, "eos_token_id") ?? [],
        };
        return new ModelText(
            Path.GetFileName(folder),
            null,
            Load(tokenizerPath, options),
            ReadTemplate(folder, tokenizerConfig),
            Defaults(generation));
    }

    public static JsonFields? Find(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? JsonFields.Read(path) : null;
    }

    private static string MissingTokenizer(string folder) => File.Exists(Path.Combine(folder, "tokenizer.model"))
        ? $"has a tokenizer.model and no {TokenizerFile}; write one with AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
        : $"has no {TokenizerFile}";

    private static ITokenizer Load(string path, TokenizerJsonOptions options)
    {
        try
        {
            return TokenizerJson.Load(path, options);
        }
        catch (TokenizerFormatException exception)
        {
            throw new ModelFormatException(path, null, "the tokenizer", $"cannot be used: {exception.Message.TrimEnd('.')}");
        }
    }

    /// <summary>A special token: its text, or an object that has it.</summary>
    public static string? Token(JsonFields? fields, string name) => fields?.Kind(name) == JsonValueKind.Object
        ? fields.FindObject(name)!.FindString("content")
        : fields?.FindString(name);

    private static int[]? Ids(JsonFields? fields, string name) => fields?.FindInt32s(name);

    /// <summary>chat_template.jinja, else chat_template.json, else tokenizer_config.json's: one template, or a list of which one is called default.</summary>
    private static string? ReadTemplate(string folder, JsonFields? tokenizerConfig)
    {
        string path = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(path))
        {
            long length = new FileInfo(path).Length;
            return length <= TemplateBytesMax
                ? File.ReadAllText(path)
                : throw new ModelFormatException(path, null, "the template", $"has {length} bytes, more than the {TemplateBytesMax} that a template may have");
        }

        JsonFields? fields = Find(folder, "chat_template.json") is { } own && own.Has(TemplateField) ? own : tokenizerConfig;
        if (fields?.Kind(TemplateField) != JsonValueKind.Array)
        {
            return fields?.FindString(TemplateField);
        }

        foreach (JsonFields template in fields.FindObjects(TemplateField)!)
        {
            if (template.FindString("name") == "default")
            {
                return template.FindString("template");
            }
        }

        return null;
    }

    /// <summary>
    /// A file that is silent about do_sample says nothing: transformers would decode greedily, and every server samples. One that says false wants the most likely
    /// token, whatever temperature stands beside it, as in transformers.
    /// </summary>
    private static SamplingDefaults Defaults(JsonFields? generation) => generation is null
        ? SamplingDefaults.None
        : new SamplingDefaults
        {
            Temperature = Number(generation, "temperature", 0, 100) is var temperature && generation.FindBool("do_sample") == false ? 0 : temperature,
            TopP = Number(generation, "top_p", 0, 1),
            TopK = generation.FindInt32("top_k", 0, int.MaxValue),
            MinP = Number(generation, "min_p", 0, 1),
            RepetitionPenalty = Number(generation, "repetition_penalty", 0, 100) is var penalty and not 0
                ? penalty
                : throw generation.Invalid("repetition_penalty", "is 0, expected more: logits are divided by it"),
        };

    private static float? Number(JsonFields fields, string name, double min, double max) =>
        fields.FindNumber(name) is { } number
            ? number >= min && number <= max ? (float)number : throw fields.Invalid(name, $"is {number}, expected {min} to {max}")
            : null;
}
