using Serving.TestKit;
using Serving.Text;

namespace Serving.Embeddings.Tests;

public sealed class SentenceModelTests
{
    [Fact]
    public void Texts_become_the_reference_s_tokens()
    {
        foreach (var golden in MiniLm.Golden)
        {
            List<int> ids = [];
            MiniLm.Model.Tokenizer.Encode(PromptText.Plain(golden.Text), addSpecialTokens: true, ids);
            Assert.Equal(golden.Ids, ids);
        }
    }

    [Fact]
    public void Embeddings_are_the_reference_s()
    {
        foreach (var golden in MiniLm.Golden)
        {
            var embedding = MiniLm.Model.Embed(golden.Ids);

            // The file has five decimals.
            Assert.Equal(golden.Embedding.Length, embedding.Length);
            for (var i = 0; i < embedding.Length; i++)
            {
                Assert.Equal(golden.Embedding[i], embedding[i], 2e-4f);
            }
        }
    }

    [Fact]
    public void What_means_the_same_is_nearer_than_what_does_not()
    {
        var question = Embed("How do I list the files of a directory?");
        Assert.True(Cosine(question, Embed("ls shows what a folder contains")) > 0.3 + Cosine(question, Embed("Bananas are rich in potassium.")));
    }

    [Fact]
    public void Its_sizes_come_from_its_files() =>
        Assert.Equal((384, 512, 30522), (MiniLm.Model.Width, MiniLm.Model.ContextLength, MiniLm.Model.Tokenizer.VocabularySize));

    [Fact]
    public void A_text_beyond_the_context_is_a_caller_s_bug()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => MiniLm.Model.Embed([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => MiniLm.Model.Embed(new int[513]));
        Assert.Equal(384, MiniLm.Model.Embed(new int[512]).Length);
    }

    [Fact]
    public void A_graph_without_its_tokenizer_is_refused_by_name()
    {
        var error = Assert.Throws<SentenceModelException>(() => SentenceModel.Load(Path.Combine(Repository.Root, "docs", "none", "model.onnx")));
        Assert.Contains("tokenizer.json", error.Message);
    }

    [Theory]
    [InlineData("model.onnx", "not a graph", "cannot be run")]
    [InlineData("config.json", "{", "is not JSON")]
    [InlineData("config.json", "{\"hidden_size\":384}", "max_position_embeddings")]
    [InlineData("tokenizer.json", "{}", "tokenizer.json")]
    [InlineData("1_Pooling/config.json", "{\"pooling_mode_mean_tokens\":false,\"pooling_mode_cls_token\":true}", "pooling")]
    public void A_damaged_file_is_refused_by_name(string file, string content, string said)
    {
        var folder = Directory.CreateTempSubdirectory("serving-embeddings-");
        try
        {
            File.CreateSymbolicLink(Path.Combine(folder.FullName, "model.onnx"), MiniLm.Graph);
            foreach (var name in new[] { "config.json", "tokenizer.json" })
            {
                File.Copy(Path.Combine(MiniLm.Folder, name), Path.Combine(folder.FullName, name));
            }

            var path = Path.Combine(folder.FullName, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Delete(path);
            File.WriteAllText(path, content);

            var error = Assert.Throws<SentenceModelException>(() => SentenceModel.Load(Path.Combine(folder.FullName, "model.onnx")));
            Assert.Contains(said, error.Message);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static float[] Embed(string text)
    {
        List<int> ids = [];
        MiniLm.Model.Tokenizer.Encode(PromptText.Plain(text), addSpecialTokens: true, ids);
        return MiniLm.Model.Embed(ids.ToArray());
    }

    private static double Cosine(float[] left, float[] right) => left.Zip(right, (a, b) => (double)a * b).Sum();
}
