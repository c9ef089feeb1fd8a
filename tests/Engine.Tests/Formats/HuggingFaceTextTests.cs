using Serving.Engine.Formats;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class HuggingFaceTextTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public HuggingFaceTextTests() => TinyFolder.WriteWhole(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reads_what_the_files_say_of_text()
    {
        ModelText text = Read();

        Assert.Equal(Path.GetFileName(_folder.Path), text.Name);
        Assert.Equal((0, 1), (text.Tokenizer.BeginOfTextId, text.Tokenizer.EndOfTextId));
        Assert.True(text.Tokenizer.EndOfGenerationIds.IsSupersetOf([1, 2]));
        Assert.Equal("{{ messages[0].content }}", text.ChatTemplate);
        Assert.Equal(
            new SamplingDefaults { Temperature = 0.6f, TopP = 0.95f, TopK = 20, MinP = 0, RepetitionPenalty = 1.05f },
            text.SamplingDefaults);
    }

    [Fact]
    public void The_name_does_not_depend_on_a_slash_at_the_end()
    {
        using ModelSource source = ModelSource.Open(_folder.Path + Path.DirectorySeparatorChar);

        Assert.Equal(Path.GetFileName(_folder.Path), source.ReadText().Name);
        Assert.Equal(_folder.Path, source.Path);
    }

    [Theory]
    [InlineData("""{"eos_token_id": 5}""", 5)]
    [InlineData("""{"eos_token_id": [5, 6]}""", 6)]
    [InlineData("""{"eos_token_id": null}""", 2)] // config.json's
    [InlineData("""{}""", 2)]
    public void The_end_of_an_answer_comes_from_generation_config_or_config(string generation, int expected)
    {
        _folder.Write("generation_config.json", generation);

        Assert.Contains(expected, Read().Tokenizer.EndOfGenerationIds);
    }

    [Fact]
    public void A_model_that_sees_pictures_may_say_it_in_its_part_about_text()
    {
        File.Delete(_folder["generation_config.json"]);
        _folder.Write("config.json", $$"""{"model_type": "gemma3", "text_config": {{TinyFolder.Config.Replace("[1, 2]", "[7]", StringComparison.Ordinal)}}}""");

        Assert.Contains(7, Read().Tokenizer.EndOfGenerationIds);
    }

    [Theory]
    [InlineData("""{}""", null)] // Silent: servers sample, though transformers would not.
    [InlineData("""{"do_sample": true}""", null)]
    [InlineData("""{"do_sample": true, "temperature": 0.7}""", 0.7f)]
    [InlineData("""{"temperature": 0.7}""", 0.7f)]
    [InlineData("""{"do_sample": false}""", 0f)]
    [InlineData("""{"do_sample": false, "temperature": 0.7}""", 0f)] // transformers ignores the temperature then
    [InlineData("""{"do_sample": null, "temperature": null}""", null)]
    public void Greedy_decoding_is_a_default_only_where_the_file_asks_for_it(string generation, float? expected)
    {
        _folder.Write("generation_config.json", generation);

        Assert.Equal(expected, Read().SamplingDefaults.Temperature);
    }

    [Theory]
    [InlineData("""{"temperature": -1}""", "temperature is -1, expected 0 to 100")]
    [InlineData("""{"temperature": "hot"}""", "temperature is a string, expected a number")]
    [InlineData("""{"temperature": 1e999}""", "temperature is 1e999, expected a finite number")]
    [InlineData("""{"top_p": 1.5}""", "top_p is 1.5, expected 0 to 1")]
    [InlineData("""{"top_k": 2.5}""", "top_k is 2.5, expected an integer")]
    [InlineData("""{"top_k": -1}""", "top_k is -1")]
    [InlineData("""{"min_p": 2}""", "min_p is 2, expected 0 to 1")]
    [InlineData("""{"repetition_penalty": 0}""", "repetition_penalty is 0, expected more")]
    [InlineData("""{"do_sample": "no"}""", "do_sample is a string, expected true or false")]
    [InlineData("""{"eos_token_id": "2"}""", "eos_token_id is a string, expected an integer or a list of integers")]
    [InlineData("""{"eos_token_id": [1, null]}""", "eos_token_id[1] is null, expected an integer")]
    [InlineData("""{"eos_token_id": 4294967297}""", "eos_token_id is 4294967297, expected an integer")]
    [InlineData("""nonsense""", "the JSON cannot be read")]
    public void Refuses_a_generation_config_that_is_wrong(string generation, string expected)
    {
        _folder.Write("generation_config.json", generation);

        Assert.Contains(expected, Refusal("generation_config.json"));
    }

    [Fact]
    public void Special_tokens_may_stand_in_special_tokens_map()
    {
        _folder.Write("tokenizer_config.json", """{"bos_token": null}""");
        _folder.Write("special_tokens_map.json", """{"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>"}""");

        Assert.Equal((0, 1), (Read().Tokenizer.BeginOfTextId, Read().Tokenizer.EndOfTextId));
    }

    [Fact]
    public void The_template_in_a_file_of_its_own_wins()
    {
        _folder.Write("chat_template.json", """{"chat_template": "from json"}""");
        Assert.Equal("from json", Read().ChatTemplate);

        _folder.Write("chat_template.jinja", "from jinja");
        Assert.Equal("from jinja", Read().ChatTemplate);
    }

    [Theory]
    [InlineData("""{"chat_template": "plain"}""", "plain")]
    [InlineData("""{"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]}""", "d")]
    [InlineData("""{"chat_template": [{"name": "rag", "template": "r"}]}""", null)]
    [InlineData("""{"chat_template": null}""", null)]
    [InlineData("""{}""", null)]
    public void The_template_of_a_tokenizer_config_is_one_or_a_list(string tokenizerConfig, string? expected)
    {
        _folder.Write("tokenizer_config.json", tokenizerConfig);

        Assert.Equal(expected, Read().ChatTemplate);
    }

    [Theory]
    [InlineData("""{"chat_template": 7}""", "chat_template is 7, expected a string")]
    [InlineData("""{"chat_template": ["x"]}""", "chat_template[0] is a string, expected an object")]
    [InlineData("""{"bos_token": 1}""", "bos_token is 1, expected a string")]
    [InlineData("""{"bos_token": {"content": []}}""", "bos_token.content is a list, expected a string")]
    [InlineData("""[]""", "the JSON is a list, expected an object")]
    [InlineData("", "the JSON cannot be read")]
    public void Refuses_a_tokenizer_config_that_is_wrong(string tokenizerConfig, string expected)
    {
        _folder.Write("tokenizer_config.json", tokenizerConfig);

        Assert.Contains(expected, Refusal("tokenizer_config.json"));
    }

    [Fact]
    public void Refuses_a_template_of_a_megabyte()
    {
        _folder.Write("chat_template.jinja", new string('x', (1 << 20) + 1));

        Assert.Contains("more than the 1048576 that a template may have", Refusal("chat_template.jinja"));
    }

    [Fact]
    public void Refuses_a_special_token_that_the_vocabulary_lacks()
    {
        _folder.Write("tokenizer_config.json", """{"bos_token": "<begin>"}""");

        Assert.Contains("'<begin>' is not in the vocabulary", Refusal("tokenizer.json"));
    }

    [Theory]
    [InlineData("", "is not JSON")]
    [InlineData("[]", "is [] where an object is expected")]
    [InlineData("{}", "'model': is missing")]
    [InlineData("""{"model": {"type": "Magic", "vocab": {}}}""", "model")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 2147483647}, "merges": []}}""", "holds the id 2147483647")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 16777216}, "merges": []}}""", "holds the id 16777216, but there are only 1 tokens")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 9223372036854775808}, "merges": []}}""", "vocab")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}""", "vocab")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"\ud800": 1}, "merges": []}}""", "surrogate")]
    [InlineData("""{"added_tokens": [{"id": -5, "content": "x"}], "model": {"type": "BPE", "vocab": {"a": 1}, "merges": []}}""", "added_tokens")]
    public void Refuses_a_tokenizer_that_is_wrong(string tokenizer, string expected)
    {
        _folder.Write("tokenizer.json", tokenizer);

        Assert.Contains(expected, Refusal("tokenizer.json"));
    }

    [Fact]
    public void Says_how_to_come_by_a_tokenizer_json()
    {
        File.Delete(_folder["tokenizer.json"]);
        Assert.EndsWith("has no tokenizer.json.", Refusal(""));

        _folder.Write("tokenizer.model", "x");
        Assert.Contains("AutoTokenizer.from_pretrained(folder).save_pretrained(folder)", Refusal(""));
    }

    private ModelText Read()
    {
        using ModelSource source = ModelSource.Open(_folder.Path);
        return source.ReadText();
    }

    private string Refusal(string file)
    {
        string message = Assert.Throws<ModelFormatException>(Read).Message;
        Assert.StartsWith(file.Length == 0 ? _folder.Path : _folder[file], message);
        return message;
    }
}
