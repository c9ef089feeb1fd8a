using Serving.Engine.Formats;
using Serving.Engine.Models;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class HuggingFaceSourceTests : IDisposable
{
    private const string Index = "model.safetensors.index.json";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(11)]
    public void Opens_weights_in_one_file_or_several(int shards)
    {
        if (shards == 1)
        {
            TinyFolder.WriteWhole(_folder.Path);
        }
        else
        {
            TinyFolder.WriteSharded(_folder.Path, shards);
        }

        using ModelSource source = ModelSource.Open(_folder.Path);

        Assert.Equal(ModelFormat.HuggingFace, source.Format);
        Assert.Equal(11, source.Tensors.Count);
        Assert.Equal(shards, source.Tensors.Select(tensor => tensor.Path).Distinct().Count());
        Assert.Equal(Directory.GetFiles(_folder.Path, "*.safetensors").Sum(file => new FileInfo(file).Length), source.ByteCount);
        Assert.Single(ModelGraph.Build(source).Layers);
    }

    [Theory]
    [InlineData("qwen2", 2)]
    [InlineData("olmoe", 10)]
    public void Opens_the_shards_of_a_reference_model(string family, int shards)
    {
        using ModelSource source = ModelSource.Open(GoldenFixtures.Path("models", family));

        Assert.Equal(shards, source.Tensors.Select(tensor => tensor.Path).Distinct().Count());
        Assert.Equal(family, source.Settings.Family);
    }

    [Fact]
    public void One_file_wins_over_an_index()
    {
        TinyFolder.WriteWhole(_folder.Path);
        _folder.Write(Index, "nonsense");

        using ModelSource source = ModelSource.Open(_folder.Path);

        Assert.Equal(11, source.Tensors.Count);
    }

    [Fact]
    public void A_tensor_that_the_index_leaves_out_is_not_there()
    {
        TinyFolder.WriteSharded(_folder.Path, 2);
        _folder.Write(Index, TinyFolder.Index(TinyFolder.Weights().Split(2)).Replace("\"model.norm.weight\"", "\"model.layers.0.input_layernorm.weight\"", StringComparison.Ordinal)
            .Replace("\"model.layers.0.input_layernorm.weight\": \"model-00001-of-00002.safetensors\", ", "", StringComparison.Ordinal)
            .Replace("\"weight_map\": {", "\"weight_map\": {\"model.layers.0.input_layernorm.weight\": \"model-00001-of-00002.safetensors\", ", StringComparison.Ordinal));

        using ModelSource source = ModelSource.Open(_folder.Path);

        Assert.Null(source.FindTensor("model.norm.weight"));
        Assert.Equal(10, source.Tensors.Count);
    }

    [Theory]
    [InlineData("../model-00001-of-00002.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("folder/model.safetensors")]
    [InlineData("model\\u0000.safetensors")]
    public void Refuses_a_shard_that_lies_elsewhere(string shard)
    {
        TinyFolder.WriteSharded(_folder.Path, 2);
        _folder.Write(Index, $$$"""{"weight_map": {"model.norm.weight": "{{{shard}}}"}}""");

        Assert.Contains("which is not the name of a file beside the index", Refusal(Index));
    }

    [Theory]
    [InlineData("nonsense", "the JSON cannot be read")]
    [InlineData("[]", "the JSON is a list, expected an object")]
    [InlineData("{}", "weight_map is missing")]
    [InlineData("""{"weight_map": 7}""", "weight_map is 7, expected an object")]
    [InlineData("""{"weight_map": {"model.norm.weight": null}}""", "weight_map.model.norm.weight is null, expected a string")]
    [InlineData("""{"weight_map": {"model.norm.weight": 1}}""", "weight_map.model.norm.weight is 1, expected a string")]
    [InlineData("""{"weight_map": {"a": "x", "a": "y"}}""", "the JSON cannot be read")]
    [InlineData("""{"weight_map": {"\ud800": "x"}}""", "the JSON cannot be read")]
    [InlineData("""{"weight_map": {"a": "\udc00"}}""", "surrogate")]
    [InlineData("""{"\ud800": {}}""", "the JSON cannot be read")]
    public void Refuses_an_index_that_is_wrong(string index, string expected)
    {
        TinyFolder.WriteSharded(_folder.Path, 2);
        _folder.Write(Index, index);

        Assert.Contains(expected, Refusal(Index));
    }

    [Fact]
    public void Names_a_shard_that_is_missing()
    {
        TinyFolder.WriteSharded(_folder.Path, 3);
        File.Delete(_folder[TinyFolder.Shard(1, 3)]);

        Assert.Contains("is said to be in model-00002-of-00003.safetensors, which is missing; fetch the model again", Refusal(Index));
    }

    [Fact]
    public void Names_a_tensor_that_its_shard_does_not_have()
    {
        TinyFolder.WriteSharded(_folder.Path, 2);
        _folder.Write(Index, """{"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}}""");

        Assert.Contains("weight_map.lm_head.weight is said to be in model-00002-of-00002.safetensors, which does not have it", Refusal(Index));
    }

    [Fact]
    public void Refuses_a_tensor_that_two_shards_hold()
    {
        TinyFolder.WriteSharded(_folder.Path, 2);
        SafetensorsWriter second = TinyFolder.Weights().Split(2)[1].Add("model.norm.weight", "F32", [1], new byte[4]);
        _folder.Write(TinyFolder.Shard(1, 2), second.ToArray());

        Assert.Contains("tensor model.norm.weight is in model-00001-of-00002.safetensors as well", Refusal(TinyFolder.Shard(1, 2)));
    }

    [Fact]
    public void Names_a_shard_that_is_cut_off()
    {
        TinyFolder.WriteSharded(_folder.Path, 2);
        _folder.Write(TinyFolder.Shard(1, 2), File.ReadAllBytes(_folder[TinyFolder.Shard(1, 2)])[..^1]);

        Assert.Contains("has the data_offsets[1]", Refusal(TinyFolder.Shard(1, 2)));
    }

    [Fact]
    public void An_index_of_a_hundred_thousand_tensors_opens_at_once()
    {
        TinyFolder.WriteTexts(_folder.Path);
        var shard = new SafetensorsWriter();
        for (int i = 0; i < 100_000; i++)
        {
            shard.Add($"model.layers.{i / 100}.mlp.experts.{i % 100}.down_proj.weight", "U8", [1], [1]);
        }

        _folder.Write(TinyFolder.Shard(0, 1), shard.ToArray()).Write(Index, TinyFolder.Index([shard]));
        long start = TimeProvider.System.GetTimestamp();

        using ModelSource source = ModelSource.Open(_folder.Path);

        Assert.Equal(100_000, source.Tensors.Count);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 10); // Looking every name up in the list took minutes.
    }

    [Theory]
    [InlineData("pytorch_model.bin", "has its weights in pickles (PyTorch's old format, which runs code when it is read)")]
    [InlineData("consolidated.00.pth", "has its weights in pickles")]
    [InlineData("readme.md", "has neither model.safetensors nor model.safetensors.index.json")]
    [InlineData("weights.safetensors", "it has weights.safetensors: if that is the whole model, name it model.safetensors")]
    [InlineData("model-00001-of-00002.safetensors", "it has model-00001-of-00002.safetensors")]
    public void Says_what_a_folder_without_weights_holds_instead(string file, string expected)
    {
        TinyFolder.WriteTexts(_folder.Path);
        _folder.Write(file, "x");

        Assert.Contains(expected, Refusal(""));
    }

    [Fact]
    public void A_pickle_under_the_name_of_safetensors_is_refused()
    {
        TinyFolder.WriteTexts(_folder.Path);
        _folder.Write("model.safetensors", [(byte)'P', (byte)'K', 3, 4, 0, 0, 8, 8, 0, 0]);

        Assert.Contains("is a pickle", Refusal("model.safetensors"));
    }

    [Theory]
    [InlineData("", "the JSON cannot be read")]
    [InlineData("{", "the JSON cannot be read")]
    [InlineData("null", "the JSON is null, expected an object")]
    [InlineData("""{"hidden_size": 1, "hidden_size": 2}""", "the JSON cannot be read")]
    [InlineData("""{"text_config": 3}""", "text_config is 3, expected an object")]
    [InlineData("""{}""", "model_type is missing")]
    [InlineData("""{"model_type": 3}""", "model_type is 3, expected a string")]
    [InlineData("""{"model_type": "mamba"}""", "model_type is \"mamba\", which is not supported; supported: llama")]
    [InlineData("""{"model_type": "\ud800"}""", "surrogate")]
    public void Refuses_a_config_that_is_wrong(string config, string expected)
    {
        TinyFolder.WriteWhole(_folder.Path);
        _folder.Write("config.json", config);

        Assert.Contains(expected, BuildRefusal());
    }

    [Theory]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": 9223372036854775808", "hidden_size is 9223372036854775808, expected an integer")]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": -16", "hidden_size is -16")]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": 16.5", "hidden_size is 16.5")]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": \"16\"", "hidden_size is a string, expected an integer")]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": 32", "tensor model.embed_tokens.weight has rows of 16 elements, expected the width 32")]
    [InlineData("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2", "tensor model.layers.1.input_layernorm.weight is missing")]
    [InlineData("\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2147483647", "num_hidden_layers is 2147483647")]
    [InlineData("\"num_key_value_heads\": 1", "\"num_key_value_heads\": 0", "num_key_value_heads is 0")]
    [InlineData("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e999", "rms_norm_eps is 1e999, expected a finite number")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": -1", "rope_theta")]
    [InlineData("\"rope_type\": \"llama3\"", "\"rope_type\": \"spiral\"", "spiral")]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"tanh\"", "hidden_act is \"tanh\"")]
    public void Refuses_a_setting_that_is_wrong_and_names_it(string setting, string wrong, string expected)
    {
        TinyFolder.WriteWhole(_folder.Path);
        Assert.Contains(setting, TinyFolder.Config);
        _folder.Write("config.json", TinyFolder.Config.Replace(setting, wrong, StringComparison.Ordinal));

        Assert.Contains(expected, BuildRefusal());
    }

    private string BuildRefusal()
    {
        string message = Assert.Throws<ModelFormatException>(() =>
        {
            using ModelSource source = ModelSource.Open(_folder.Path);
            ModelGraph.Build(source);
        }).Message;
        Assert.StartsWith(_folder.Path, message);
        return message;
    }

    private string Refusal(string file)
    {
        string message = Assert.Throws<ModelFormatException>(() => ModelSource.Open(_folder.Path)).Message;
        Assert.StartsWith(file.Length == 0 ? _folder.Path : _folder[file], message);
        return message;
    }
}
