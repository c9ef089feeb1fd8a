using Serving.Cli.Models;
using Serving.Cli.Up;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Serving.Tests.Up;

public sealed class ModelFileTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Models_are_files_folders_and_named_ones()
    {
        var file = _root.Touch("tiny/Tiny-Q4.gguf");
        var folder = Path.GetDirectoryName(file)!;
        Assert.Equal([new ModelFile("Tiny-Q4", file)], Resolve(file));
        Assert.Equal([new ModelFile("tiny", file)], Resolve(folder));
        Assert.Equal([new ModelFile("name", file)], Resolve($"name={file}"));
    }

    [Fact]
    public void A_hugging_face_folder_and_the_parts_of_a_split_file_are_one_model_each()
    {
        var config = _root.Touch("hf/config.json");
        _root.Touch("split/m-00001-of-00002.gguf");
        var second = _root.Touch("split/m-00002-of-00002.gguf");
        Assert.Equal(
            [new ModelFile("hf", Path.GetDirectoryName(config)!), new ModelFile("m", _root.File("split/m-00001-of-00002.gguf"))], Resolve(_root.File("hf") + "/", second));
        File.Delete(second);
        Assert.Contains("m-00002-of-00002.gguf is missing", Refused(_root.File("split")));
    }

    [Fact]
    public void The_default_and_all_are_the_repositorys()
    {
        var file = _root.Touch("models/smollm2-135m-instruct/x.gguf");
        var other = _root.Touch("models/docs-moe/y.gguf");
        Assert.Equal([new ModelFile("smollm2-135m-instruct", file)], Resolve());
        Assert.Equal([new ModelFile("smollm2-135m-instruct", file), new ModelFile("docs-moe", other)], Resolve("all"));
        Assert.Equal([new ModelFile("docs-moe", other), new ModelFile("mine", other)], Resolve("docs-moe", "mine=docs-moe"));
    }

    [Fact]
    public void The_embedder_of_the_repository_is_served_beside_the_default()
    {
        var file = _root.Touch("models/smollm2-135m-instruct/x.gguf");
        var other = _root.Touch("models/docs-moe/y.gguf");
        var graph = Embedder("models/all-minilm-l6-v2");
        ModelFile[] expected = [new("smollm2-135m-instruct", file), new("all-minilm-l6-v2", graph)];
        Assert.Equal(expected, Resolve());
        Assert.Equal([expected[0], new("docs-moe", other), expected[1]], Resolve("all"));
        Assert.Equal([false, true], Resolve().Select(model => model.IsEmbedder));
    }

    [Fact]
    public void A_graph_is_named_by_its_file_or_its_folder()
    {
        var graph = Embedder("bge");
        Assert.Equal([new ModelFile("bge", graph), new ModelFile("other", graph)], Resolve(_root.File("bge"), "other=" + graph));

        var nested = _root.Touch("bge/onnx/model.onnx");
        Assert.Equal([new ModelFile("bge", nested)], Resolve(nested));
        Assert.Contains("holds 2 graphs: name one of the files (model.onnx, onnx/model.onnx)", Refused(_root.File("bge")));
        Assert.Contains("tokenizer.json and config.json", Refused(_root.Touch("alone/model.onnx")));
    }

    [Fact]
    public void A_missing_an_ambiguous_and_a_doubled_model_are_refused()
    {
        Assert.Contains("none.gguf: there is no such file", Refused(_root.File("none.gguf")));
        _root.Touch("models/smollm2-135m-instruct/x.gguf");
        Assert.Contains("Models that have a name: smollm2-135m-instruct.", Refused("qwen"));
        var a = _root.Touch("two/a.gguf");
        _root.Touch("two/b.gguf");
        Assert.Contains("2 GGUF models", Refused(_root.File("two")));
        Assert.Contains("Two models would be called a", Refused(a, "A=" + _root.File("two/b.gguf")));
        Assert.Contains("is neither a .gguf nor an .onnx file", Refused(_root.Touch("model.bin")));
    }

    [Theory]
    [InlineData("gpt=none", "no model none is served. Served: x, y.")]
    [InlineData("x=y", "a served model is called x already")]
    [InlineData("gpt", "is not NAME=MODEL")]
    [InlineData("a:b=x", "cannot have ':'")]
    public void A_wrong_alias_is_refused(string alias, string expected) =>
        Assert.Contains(expected, Assert.Throws<StartupException>(() => ModelAlias.ResolveAll([alias], Served)).Message);

    [Fact]
    public void Aliases_name_served_models_once()
    {
        Assert.Equal([new ModelAlias("gpt", "x"), new ModelAlias("small", "x")], ModelAlias.ResolveAll(["gpt=x", "small=x"], Served));
        Assert.Contains("given twice", Assert.Throws<StartupException>(() => ModelAlias.ResolveAll(["gpt=x", "gpt=y"], Served)).Message);
    }

    private static ModelFile[] Served { get; } = [new("x", "/x"), new("y", "/y")];

    private string Embedder(string folder)
    {
        _root.Touch($"{folder}/config.json");
        _root.Touch($"{folder}/tokenizer.json");
        return _root.Touch($"{folder}/model.onnx");
    }

    private IReadOnlyList<ModelFile> Resolve(params string[] arguments) => ModelFile.ResolveAll(arguments, new ModelStore(_root.File("data"), _root.File("artifacts/bin")));

    private string Refused(params string[] arguments) => Assert.Throws<StartupException>(() => Resolve(arguments)).Message;

    [Fact]
    public void A_tool_parser_is_for_every_model_or_for_one()
    {
        IReadOnlyList<ModelFile> models = [new("x", "/x"), new("y", "/y")];
        Assert.Equal(["mistral", "none"], ToolParserChoice.Apply(models, ["mistral", "y=none"]).Select(model => model.ToolParser));
        Assert.Equal([null, null], ToolParserChoice.Apply(models, []).Select(model => model.ToolParser));
        Assert.Contains("there is no parser gpt", Assert.Throws<StartupException>(() => ToolParserChoice.Apply(models, ["x=gpt"])).Message);
        Assert.Contains("no model z is served", Assert.Throws<StartupException>(() => ToolParserChoice.Apply(models, ["z=hermes"])).Message);
    }
}
