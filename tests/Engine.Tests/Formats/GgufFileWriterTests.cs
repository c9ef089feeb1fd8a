using System.Runtime.InteropServices;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Formats.Gguf;
using Serving.TestKit;
using Serving.Text.Tokenization;

namespace Serving.Engine.Tests;

public sealed class GgufFileWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("serving-writer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Writes_values_and_tensors_that_are_read_back_equal()
    {
        var writer = new GgufFileWriter();
        writer.Set("text", "héllo");
        writer.Set("number", 4_000_000_000u);
        writer.Set("half", 0.5f);
        writer.Set("yes", true);
        writer.Set("texts", ["a", "", "ü"]);
        writer.Set("ints", [1, -2]);
        writer.Set("floats", [0.25f, -1e9f]);
        writer.Set("flags", [true, false]);
        writer.Add("bytes", GgmlType.I8, [3], (stream, _) => stream.Write([1, 2, 3]));
        writer.Add("rows", GgmlType.Q8_0, [64, 3, 2], (row, x) => x.Fill(row + 1), "source");
        writer.Save(Path.Combine(_folder, "x.gguf"), TestContext.Current.CancellationToken);

        using GgufFile file = GgufFile.Open(Path.Combine(_folder, "x.gguf"));
        Assert.Equal("héllo", file.Metadata.GetString("text"));
        Assert.True(file.Metadata.TryGet("number", out GgufValue number));
        Assert.Equal(4_000_000_000u, number.Value);
        Assert.Equal(0.5f, file.Metadata.GetSingle("half"));
        Assert.True(file.Metadata.FindBool("yes"));
        Assert.Equal(["a", "", "ü"], file.Metadata.FindStrings("texts")!);
        Assert.Equal([1, -2], file.Metadata.FindInt32s("ints")!);
        Assert.Equal([0.25f, -1e9f], file.Metadata.FindSingles("floats")!);
        Assert.True(file.Metadata.TryGet("flags", out GgufValue flags));
        Assert.Equal([true, false], Assert.IsType<bool[]>(flags.Value));
        Assert.Equal([1, 2, 3], Bytes(file, "bytes"));
        GgufTensor rows = file.FindTensor("rows")!;
        Assert.Equal([64, 3, 2], rows.Dimensions);
        Assert.Equal(0, rows.Offset % 32);
        float[] decoded = new float[64 * 6];
        BlockDecoder.Decode(GgmlType.Q8_0, Bytes(file, "rows"), decoded);
        Assert.All(decoded.Chunk(64).Index(), row => Assert.All(row.Item, value => Assert.Equal(row.Index + 1, value, 0.01f)));
        Assert.Equal(["x.gguf"], Directory.GetFiles(_folder).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(float.NaN, "tensor blk.0.attn_q.weight holds NaN in row 5, column 7")]
    [InlineData(1e6f, "is too large for Q4_0; write f32 or bf16")]
    public void Refuses_weights_that_are_none_by_the_tensors_name_and_leaves_nothing(float value, string expected)
    {
        var writer = new GgufFileWriter();
        writer.Add("blk.0.attn_q.weight", GgmlType.Q4_0, [32, 9], (row, x) => x[7] = row == 5 ? value : 0, "model.safetensors");

        var error = Assert.Throws<ModelFormatException>(() => writer.Save(Path.Combine(_folder, "x.gguf"), TestContext.Current.CancellationToken));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("model.safetensors", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Leaves_the_old_file_alone_when_a_tensor_fails()
    {
        string path = Path.Combine(_folder, "x.gguf");
        File.WriteAllText(path, "old");
        foreach (Action<Stream, CancellationToken> write in new Action<Stream, CancellationToken>[]
        {
            (_, _) => throw new IOException("no space left"),
            (stream, _) => stream.Write(new byte[5]),
            (_, _) => throw new OperationCanceledException(),
        })
        {
            var writer = new GgufFileWriter();
            writer.Add("t", GgmlType.F32, [1], write);
            Assert.ThrowsAny<Exception>(() => writer.Save(path, TestContext.Current.CancellationToken));
        }

        Assert.Equal([path], Directory.GetFiles(_folder));
        Assert.Equal("old", File.ReadAllText(path));
    }

    [Fact]
    public void Stops_when_it_is_told_to()
    {
        using var cancellation = new CancellationTokenSource();
        var writer = new GgufFileWriter();
        writer.Add("t", GgmlType.F32, [1 << 20, 4], (_, row) =>
        {
            row.Clear();
            cancellation.Cancel();
        }, "source");

        Assert.Throws<OperationCanceledException>(() => writer.Save(Path.Combine(_folder, "x.gguf"), cancellation.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Refuses_what_no_reader_would_take()
    {
        var writer = new GgufFileWriter();
        writer.Set("key", 1u);
        writer.Add("t", GgmlType.F32, [1], (_, _) => { });

        Assert.Throws<ArgumentException>(() => writer.Set("key", 2u));
        Assert.Throws<ArgumentException>(() => writer.Add("t", GgmlType.F32, [1], (_, _) => { }));
        Assert.Throws<ArgumentException>(() => writer.Add(new string('n', 64), GgmlType.F32, [1], (_, _) => { }));
        Assert.Throws<ArgumentException>(() => writer.Add("u", GgmlType.Q8_0, [33], (_, _) => { }));
        Assert.Throws<ArgumentException>(() => writer.Add("v", GgmlType.F32, [], (_, _) => { }));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add("w", GgmlType.F32, [1, 0], (_, _) => { }));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add("x", GgmlType.IQ4_NL, [32], (_, _) => { }, "source"));
    }

    [Fact]
    public void Writes_a_vocabulary_that_is_read_back_equal()
    {
        using GgufFile original = GgufFile.Open(Repository.DefaultModel);
        GgufModelMetadata metadata = GgufModelMetadata.Read(original);
        var writer = new GgufFileWriter();
        metadata.Write(writer);
        writer.Save(Path.Combine(_folder, "x.gguf"), TestContext.Current.CancellationToken);

        using GgufFile file = GgufFile.Open(Path.Combine(_folder, "x.gguf"));
        GgufModelMetadata read = GgufModelMetadata.Read(file);
        Assert.Equal((metadata.Name, metadata.Organization, metadata.ChatTemplate), (read.Name, read.Organization, read.ChatTemplate));
        Assert.Equal(metadata.Vocabulary.Tokens, read.Vocabulary.Tokens);
        Assert.Equal(metadata.Vocabulary.TokenTypes, read.Vocabulary.TokenTypes);
        Assert.Equal(metadata.Vocabulary.Merges, read.Vocabulary.Merges);
        Assert.Equal(WithoutLists(metadata.Vocabulary), WithoutLists(read.Vocabulary));

        GgufVocabulary WithoutLists(GgufVocabulary vocabulary) => vocabulary with { Tokens = _noTokens, TokenTypes = null, Merges = null };
    }

    private static byte[] Bytes(GgufFile file, string tensor)
    {
        GgufTensor found = file.FindTensor(tensor)!;
        byte[] bytes = new byte[found.ByteCount];
        Marshal.Copy(file.Address(found), bytes, 0, bytes.Length);
        return bytes;
    }

    private static readonly string[] _noTokens = [];
}
