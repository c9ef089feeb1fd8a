using Serving.Engine.Formats;
using Serving.Engine.Models;
using Serving.Text;

namespace Serving.TestKit;

/// <summary>A target for each file of the formats that models come in.</summary>
public static class FormatTargets
{
    /// <summary>More than reading any of these few kilobytes takes.</summary>
    public const long AllocatedBytesMax = 64 << 20;

    /// <summary>The targets by name.</summary>
    public static IReadOnlyDictionary<string, Func<FormatTarget>> All { get; } = new Dictionary<string, Func<FormatTarget>>
    {
        ["gguf"] = () => Gguf("gguf", "model.gguf", [TinyLlama.Writer()], ["model.gguf"]),
        ["gguf-split"] = () => Gguf("gguf-split", "m-00002-of-00003.gguf", TinyLlama.Writer().Split(3), ["m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"]),
        ["gguf-vocabulary"] = () => new FormatTarget(
            "gguf-vocabulary", folder => Write(folder, "model.gguf", Vocabulary().ToArray()), "model.gguf", (bytes, random) => Mutations.Bytes(bytes, 2500, random), ReadText),
        ["safetensors"] = () => Folder("safetensors", "model.safetensors", Mutations.Safetensors, Build),
        ["index"] = () => new FormatTarget("index", folder => TinyFolder.WriteSharded(folder, 3), "model.safetensors.index.json", Mutations.Json, Build),
        ["config"] = () => Folder("config", "config.json", Mutations.Json, Build),
        ["tokenizer"] = () => Folder("tokenizer", "tokenizer.json", Mutations.Json, ReadText),
        ["tokenizer-config"] = () => Folder("tokenizer-config", "tokenizer_config.json", Mutations.Json, ReadText),
        ["generation-config"] = () => Folder("generation-config", "generation_config.json", Mutations.Json, ReadText),
    };

    /// <summary>The config.json of a whole model folder, which is copied.</summary>
    public static FormatTarget Config(string folder) => new(
        $"config of {Path.GetFileName(folder)}", copy => Copy(folder, copy), "config.json", Mutations.Json, Build);

    private static FormatTarget Folder(string name, string file, Func<byte[], Random, byte[]> mutate, Action<string> read) =>
        new(name, TinyFolder.WriteWhole, file, mutate, read);

    private static FormatTarget Gguf(string name, string target, GgufWriter[] parts, string[] files)
    {
        // Header, metadata and directory: a part that is not the first has little of it.
        int headerBytes = parts.Length == 1 ? 1500 : 450;
        return new FormatTarget(name, WriteParts, target, (bytes, random) => Mutations.Bytes(bytes, headerBytes, random), Build);

        void WriteParts(string folder)
        {
            for (int i = 0; i < parts.Length; i++)
            {
                Write(folder, files[i], parts[i].ToArray());
            }
        }
    }

    private static GgufWriter Vocabulary() => TinyLlama.Writer(without: "tokenizer.ggml.tokens")
        .Set("tokenizer.ggml.model", "gpt2")
        .Set("tokenizer.ggml.pre", "smollm")
        .Set("tokenizer.ggml.tokens", "<s>", "</s>", "a", "b", "c", "ab", "abc", "Ġ", "Ġa")
        .Set("tokenizer.ggml.merges", "a b", "ab c", "Ġ a")
        .Set("tokenizer.ggml.bos_token_id", 0u)
        .Set("tokenizer.ggml.eos_token_id", 1u)
        .Set("tokenizer.ggml.add_bos_token", true)
        .Set("tokenizer.chat_template", "{{ messages[0].content }}");

    private static void Build(string folder)
    {
        using ModelSource source = ModelSource.Open(folder);
        ModelGraph.Build(source);
    }

    private static void ReadText(string folder)
    {
        using ModelSource source = ModelSource.Open(folder);
        ModelText text = source.ReadText();
        var ids = new List<int>();
        text.Tokenizer.Encode(PromptText.Trusted("hello world 123 <tool></s> abc"), addSpecialTokens: true, ids);
        text.Tokenizer.Decode([.. ids], skipSpecial: false);
    }

    private static void Write(string folder, string file, byte[] bytes) => File.WriteAllBytes(Path.Combine(folder, file), bytes);

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from).Where(file => !Path.GetFileName(file).StartsWith("golden", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
