using Serving.Text.Tokenization.Json;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>
/// What a <c>tokenizer.ggml.pre</c> name stands for. Names and expressions are those of llama.cpp (src/llama-vocab.cpp), the expressions
/// in the form that the models' own tokenizer.json has.
/// </summary>
internal sealed record GgufPreTokenizer(params IReadOnlyList<string> Expressions)
{
    private const string Gpt2 = PreTokenizerReader.ByteLevelRegex;
    private const string Contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Words = @"|[^\r\n\p{L}\p{N}]?\p{L}+";
    private const string Rest = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Llama3 = Contractions + Words + @"|\p{N}{1,3}" + Rest;
    private const string Qwen2 = Contractions + Words + @"|\p{N}" + Rest;
    private const string UpperThenLower = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";
    private const string UpperOnly = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";
    private const string RestWithSlash = @"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string O200k = UpperThenLower + Contractions + "?|" + UpperOnly + Contractions + @"?|\p{N}{1,3}" + RestWithSlash;
    private const string HanOrKana = "[一-龥぀-ゟ゠-ヿ]+";
    private const string DeepSeekWords =
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string WordsOfAnyScript = @" ?[^(\s|.,!?…。，、।۔،)]+";

    private static readonly GgufPreTokenizer _llama3 = new(Llama3) { IgnoreMerges = true, AddsBos = true };
    private static readonly GgufPreTokenizer _gpt2 = new(Gpt2);
    private static readonly GgufPreTokenizer _singleDigits = new(@"\p{N}", Gpt2);
    private static readonly GgufPreTokenizer _dbrx = new(Llama3);
    private static readonly GgufPreTokenizer _o200k = new(O200k);
    private static readonly GgufPreTokenizer _deepSeek3 = new(@"\p{N}{1,3}", HanOrKana, DeepSeekWords);
    private static readonly GgufPreTokenizer _qwen2 = new(Qwen2) { ComposesCharacters = true };
    private static readonly GgufPreTokenizer _qwen2Raw = new(Qwen2);

    private static readonly GgufPreTokenizer _bailing = new(@"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+");
    private static readonly GgufPreTokenizer _words = new(WordsOfAnyScript);
    private static readonly GgufPreTokenizer _tinyAya = new(@"\d{1,3}(?=(?:\d{3})*\b)", O200k);

    /// <summary>Where several names mean the same, the one that is written comes first.</summary>
    private static readonly OrderedDictionary<string, GgufPreTokenizer> _known = new()
    {
        ["gpt-2"] = _gpt2,
        ["phi-2"] = _gpt2,
        ["mpt"] = _gpt2,
        ["olmo"] = _gpt2,
        ["jais"] = _gpt2,
        ["trillion"] = _gpt2,
        ["exaone4"] = _gpt2,
        ["gigachat"] = _gpt2,
        ["granite-docling"] = _gpt2,
        ["jina-es"] = _gpt2,
        ["jina-de"] = _gpt2,
        ["jina-v2-es"] = _gpt2,
        ["jina-v2-de"] = _gpt2,
        ["a.x-4.0"] = _gpt2,
        ["mellum"] = _gpt2,
        ["modern-bert"] = _gpt2,
        ["llama-bpe"] = _llama3,
        ["llama3"] = _llama3,
        ["llama-v3"] = _llama3,
        ["falcon3"] = _llama3,
        ["falcon-h1"] = _llama3,
        ["pixtral"] = _llama3,
        ["midm-2.0"] = _llama3,
        ["lfm2"] = _llama3,
        ["jina-v5-nano"] = _llama3,
        ["dbrx"] = _dbrx,
        ["smaug-bpe"] = _dbrx,
        ["glm4"] = _dbrx,
        ["chatglm-bpe"] = _dbrx,
        ["qwen2"] = _qwen2,
        ["stablelm2"] = _qwen2,
        ["deepseek-r1-qwen"] = _qwen2Raw,
        ["hunyuan"] = _qwen2Raw,
        ["megrez"] = _qwen2Raw,
        ["kormo"] = _qwen2Raw,
        ["f2llmv2"] = _qwen2Raw,
        ["grok-2"] = _qwen2Raw,
        ["solar-open"] = _qwen2Raw,
        ["qwen35"] = new(Contractions + @"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
        {
            ComposesCharacters = true,
        },
        ["smollm"] = _singleDigits,
        ["starcoder"] = _singleDigits,
        ["refact"] = _singleDigits,
        ["command-r"] = _singleDigits,
        ["codeshell"] = _singleDigits,
        ["exaone"] = _singleDigits,
        ["minerva-7b"] = _singleDigits,
        ["mellum2"] = _singleDigits,
        ["gpt-4o"] = _o200k,
        ["o200k"] = _o200k,
        ["llama4"] = _o200k,
        ["kanana2"] = _o200k,
        ["talkie"] = _o200k,
        ["minimax-m2"] = _o200k,
        ["tekken"] = new(UpperThenLower + "|" + UpperOnly + @"|\p{N}" + RestWithSlash) { IgnoreMerges = true, AddsBos = true },
        ["deepseek-v3"] = _deepSeek3,
        ["hunyuan-dense"] = _deepSeek3,
        ["joyai-llm"] = _deepSeek3,
        ["hy_v4"] = _deepSeek3,
        ["deepseek-coder"] = new(@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[一-龥\u0800-一가-\uD7FF]+", @"\p{N}"),
        ["deepseek-llm"] = new(
            @"[\r\n]",
            @"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼ\u1FBEῂ-ῄῆ-ῌῐ-\u1FD3ῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ]+",
            @"\s?[!-/:-~！-／：-～‘-‟\u3000-。]+",
            @"\s+\z",
            "[一-龥\u0800-一가-\uD7FF]+",
            @"\p{N}+"),
        ["falcon"] = new(@"[\p{P}\$\+<=>\^~\|`]+", Gpt2, "[0-9][0-9][0-9]"),
        ["bailingmoe"] = _bailing,
        ["bailingmoe2"] = _bailing,
        ["llada-moe"] = _bailing,
        ["seed-coder"] = new(Contractions + Words + @"|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"),
        ["bloom"] = _words,
        ["poro-chat"] = _words,
        ["gpt3-finnish"] = _words,
        ["viking"] = new(WordsOfAnyScript, @"\p{N}"),
        ["tiny_aya"] = _tinyAya,
        ["cohere2moe"] = _tinyAya,
        ["laguna"] = new(@"[^\n]+|[\n]+", Qwen2),
        ["ufakzeka"] = new(Words[1..] + @"|\p{N}" + Rest),
        ["minicpm5"] = new(@"\p{N}{1,3}", Contractions + Words + @"|\p{N}+" + Rest) { IgnoreMerges = true },
        ["exaone-moe"] = new(Contractions
            + @"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"),
        ["youtu"] = new(
            "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+",
            UpperThenLower + Contractions + "?|" + UpperOnly + Contractions + @"?|\p{N}" + RestWithSlash)
        { IgnoreMerges = true },
        ["jais-2"] = new(Contractions + Words + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)"
            + @"|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"),
        ["chameleon"] = new("<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", @"([\t\n]|    |  )", @"\p{N}", @"[\p{P}!-/:-@\[-`{-~]", Gpt2) { AddsBos = true },
        ["default"] = new(@"[\p{P}\$\+<=>\^~\|]+", Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"),
    };

    /// <summary>See <see cref="Models.BpeVocabulary.IgnoreMerges"/>.</summary>
    public bool IgnoreMerges { get; private init; }

    /// <summary>Whether the BOS is added where the file does not say.</summary>
    public bool AddsBos { get; private init; }

    /// <summary>Whether the models' own tokenizers normalize to NFC, which GGUF does not record and llama.cpp leaves out.</summary>
    public bool ComposesCharacters { get; private init; }

    public static IEnumerable<string> AllExpressions => _known.Values.SelectMany(known => known.Expressions).Distinct();

    /// <summary>Names whose expressions are these, however they spell contractions, quotes and line ends: one of each meaning, the ones with these flags first.</summary>
    public static IEnumerable<string> FindNames(IReadOnlyList<string> expressions, bool composesCharacters, bool ignoreMerges) =>
        _known.Where(known => known.Value.ComposesCharacters == composesCharacters
                && known.Value.Expressions.Select(Canonical).SequenceEqual(expressions.Select(Canonical)))
            .DistinctBy(known => known.Value)
            .OrderByDescending(known => known.Value.IgnoreMerges == ignoreMerges)
            .Select(known => known.Key);

    /// <summary>Files without the field are older than it; they get llama.cpp's default.</summary>
    public static GgufPreTokenizer Find(string? name) => _known.TryGetValue(name ?? "default", out GgufPreTokenizer? known)
        ? known
        : throw new TokenizerFormatException(
            "tokenizer.ggml.pre", $"'{name}' is not known; known are {string.Join(", ", _known.Keys.Order(StringComparer.Ordinal))}.");

    private static string Canonical(string expression) => expression
        .Replace("\r", @"\r", StringComparison.Ordinal)
        .Replace("\n", @"\n", StringComparison.Ordinal)
        .Replace(@"\""", @"""", StringComparison.Ordinal)
        .Replace(@"\p{N}{1}", @"\p{N}", StringComparison.Ordinal)
        .Replace("(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])", Contractions, StringComparison.Ordinal);
}
