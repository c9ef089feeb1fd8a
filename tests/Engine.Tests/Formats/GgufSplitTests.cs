using System.Security.Cryptography;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Models;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class GgufSplitTests : IDisposable
{
    private const string First = "tiny-00001-of-00003.gguf";
    private const string Second = "tiny-00002-of-00003.gguf";
    private const string Third = "tiny-00003-of-00003.gguf";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData(First)]
    [InlineData(Second)]
    [InlineData(Third)]
    public void Opens_all_parts_by_any_of_them_or_the_folder(string name)
    {
        WriteParts(TinyLlama.Writer().Split(3));
        using var whole = new TemporaryFile(TinyLlama.Writer().ToArray());
        using ModelSource expected = ModelSource.Open(whole.Path);

        using ModelSource source = ModelSource.Open(_folder[name]);

        Assert.Equal(_folder[First], source.Path);
        Assert.Equal(expected.Tensors.Count, source.Tensors.Count);
        Assert.All(expected.Tensors, tensor => Assert.Equal(tensor.Bytes.ToArray(), source.FindTensor(tensor.Name)!.Bytes.ToArray()));
        Assert.Equal(3, source.Tensors.Select(tensor => tensor.Path).Distinct().Count());
        Assert.Equal(Directory.GetFiles(_folder.Path).Sum(file => new FileInfo(file).Length), source.ByteCount);
        Assert.Single(ModelGraph.Build(source).Layers);
    }

    [Fact]
    public void Its_age_is_that_of_the_newest_part_and_every_part_tells_it_from_others()
    {
        WriteParts(TinyLlama.Writer().Split(3));
        var newest = new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_folder[Second], newest);
        byte[] before = Identity(out DateTime time);
        Assert.Equal(newest, time);

        GgufWriter[] parts = TinyLlama.Writer().Split(3);
        parts[2].Set("a.key", 1u);
        WriteParts(parts);

        Assert.NotEqual(before, Identity(out _));
    }

    [Theory]
    [InlineData(First)]
    [InlineData(Second)]
    [InlineData(Third)]
    public void Names_a_part_that_is_missing(string missing)
    {
        WriteParts(TinyLlama.Writer().Split(3));
        File.Delete(_folder[missing]);

        string message = Refusal(_folder.Path);

        Assert.Contains($"split.count is 3, but {missing}, part", message);
        Assert.Contains("is not beside it; fetch the missing part", message);
    }

    [Fact]
    public void Refuses_a_part_of_another_model()
    {
        GgufWriter[] parts = TinyLlama.Writer().Split(3);
        WriteParts(parts);
        _folder.Write(Second, TinyLlama.Writer().Split(4)[1].ToArray());

        string message = Refusal(_folder[First]);

        Assert.StartsWith(_folder[Second], message);
        Assert.Contains($"split.count is 4, but 3 in {First}", message);
    }

    [Fact]
    public void Refuses_parts_that_changed_their_names()
    {
        byte[][] parts = [.. TinyLlama.Writer().Split(3).Select(part => part.ToArray())];
        _folder.Write(First, parts[0]).Write(Second, parts[2]).Write(Third, parts[1]).Write("mine.gguf", parts[1]);

        Assert.Contains("split.no is 2, expected 1 of a file of this name", Refusal(_folder[First]));
        Assert.Contains("must end in -00002-of-00003.gguf", Refusal(_folder[Third]));
        Assert.Contains("must end in -00002-of-00003.gguf", Refusal(_folder["mine.gguf"]));
    }

    [Fact]
    public void Refuses_a_tensor_that_two_parts_hold()
    {
        GgufWriter[] parts = TinyLlama.Writer().Split(3);
        parts[2].Add("token_embd.weight", GgmlType.F32, [1], new byte[4]);
        WriteParts(parts);

        string message = Refusal(_folder[First]);

        Assert.StartsWith(_folder[Third], message);
        Assert.EndsWith($"tensor token_embd.weight is in {First} as well.", message);
    }

    [Theory]
    [InlineData(0, 3, 12, "split.tensors.count is 12, but the 3 parts hold 11 tensors")]
    [InlineData(3, 3, 11, "split.no is 3, expected 0 to 2")]
    [InlineData(0, 5000, 11, "split.count is 5000, expected 0 to 4096")]
    public void Refuses_a_first_part_that_lies(int number, int count, int tensorCount, string expected)
    {
        GgufWriter[] parts = TinyLlama.Writer().Split(3);
        WriteParts(parts);
        var first = new GgufWriter().Set("general.architecture", "llama").SetSplit(number, count, tensorCount);
        using ModelSource whole = ModelSource.Open(_folder[First]);
        foreach (ModelTensor tensor in whole.Tensors.Where(tensor => tensor.Path == _folder[First]))
        {
            first.Add(tensor.Name, tensor.Type, [.. tensor.Shape.Reverse()], tensor.Bytes.ToArray());
        }

        whole.Dispose();
        _folder.Write(First, first.ToArray());

        Assert.Contains(expected, Refusal(_folder[First]));
    }

    [Fact]
    public void Refuses_a_part_without_its_number()
    {
        WriteParts(TinyLlama.Writer().Split(3));
        _folder.Write(Second, new GgufWriter().Set("split.count", 3u).ToArray());

        Assert.Contains("split.no is missing", Refusal(_folder[First]));
    }

    [Fact]
    public void Names_a_part_that_is_cut_off()
    {
        WriteParts(TinyLlama.Writer().Split(3));
        _folder.Write(Third, File.ReadAllBytes(_folder[Third])[..^1]);

        Assert.StartsWith($"{_folder[Third]}, byte ", Refusal(_folder[First]));
    }

    [Fact]
    public void A_model_of_one_part_may_have_any_name()
    {
        _folder.Write("mine.gguf", TinyLlama.Writer().Split(1)[0].ToArray());

        using ModelSource source = ModelSource.Open(_folder.Path);

        Assert.Equal(11, source.Tensors.Count);
    }

    [Fact]
    public void A_folder_of_two_models_wants_a_choice()
    {
        Assert.Contains("has neither config.json nor a .gguf file", Refusal(_folder.Path));

        WriteParts(TinyLlama.Writer().Split(3));
        _folder.Write("other.gguf", TinyLlama.Writer().ToArray());

        Assert.Contains("has 2 GGUF models and no config.json", Refusal(_folder.Path));
    }

    [Fact]
    public void Says_what_to_open_instead_of_one_safetensors_file()
    {
        _folder.Write("model.safetensors", [0x40, 0, 0, 0, 0, 0, 0, 0, (byte)'{']);

        Assert.Contains("this is no GGUF file; give the folder", Refusal(_folder["model.safetensors"]));
    }

    private static string Refusal(string path) => Assert.Throws<ModelFormatException>(() => ModelSource.Open(path)).Message;

    private byte[] Identity(out DateTime time)
    {
        using ModelSource source = ModelSource.Open(_folder[First]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        source.AppendIdentity(hash);
        time = source.LastWriteTimeUtc;
        return hash.GetHashAndReset();
    }

    private void WriteParts(GgufWriter[] parts)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            _folder.Write($"tiny-{i + 1:D5}-of-{parts.Length:D5}.gguf", parts[i].ToArray());
        }
    }
}
