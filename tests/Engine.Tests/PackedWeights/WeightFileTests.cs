using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.Models;
using Serving.Engine.PackedWeights;

namespace Serving.Engine.Tests.PackedWeights;

/// <summary>Files of packed weights by themselves: damage, versions, and the bound on all of them.</summary>
public sealed class WeightFileTests : IDisposable
{
    private readonly ComputePool _pool = new(2);
    private readonly TemporaryFolder _temporary = new();
    private readonly ModelSource _source = ModelSource.Open(GoldenFixtures.Path("gguf", "tiny-256-Q4_1.gguf"));
    private readonly PackingPlan _plan;

    public WeightFileTests() => _plan = PackingPlan.Create(ModelGraph.Build(_source), new Int8BlockNumericClass());

    private string[] Entries => Directory.GetFiles(_temporary.Path, "*.weights");

    [Fact]
    public void A_changed_byte_anywhere_is_noticed()
    {
        var layout = new WeightFileLayout(1, _plan);
        string path = Path.Combine(_temporary.Path, "file");
        new WeightFileWriter(layout, _plan, _pool).Write(path);
        Assert.Equal(layout.FileBytes, new FileInfo(path).Length);
        var random = new Random(3);
        IEnumerable<long> places = Enumerable.Range(0, 64).Select(i => (long)i)
            .Concat(Enumerable.Range(0, 200).Select(_ => random.NextInt64(layout.DataOffset)))
            .Concat(Enumerable.Range(0, 200).Select(_ => layout.DataOffset + random.NextInt64(layout.DataBytes)))
            .Append(layout.FileBytes - 1);
        foreach (long place in places)
        {
            Flip(path, place);
            using WeightFile? damaged = WeightFile.TryOpen(path, layout, _pool, out string? damage);
            Assert.True(damaged is null && damage is not null, $"byte {place} was changed and nobody noticed");
            Flip(path, place);
        }

        using WeightFile? whole = WeightFile.TryOpen(path, layout, _pool, out string? none);
        Assert.NotNull(whole);
        Assert.Null(none);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(long.MinValue)]
    public void A_file_of_another_length_is_noticed(long more)
    {
        var layout = new WeightFileLayout(1, _plan);
        string path = Path.Combine(_temporary.Path, "file");
        new WeightFileWriter(layout, _plan, _pool).Write(path);
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(Math.Max(0, file.Length + more));
        }

        Assert.Null(WeightFile.TryOpen(path, layout, _pool, out string? damage));
        Assert.Contains("bytes, expected", damage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20)] // the key
    [InlineData(300)] // the directory
    [InlineData(-1)] // the data
    public void A_damaged_file_is_written_anew_with_the_same_bytes(int place)
    {
        WeightCacheReport written = Open();
        byte[] bytes = File.ReadAllBytes(written.Path!);
        Flip(written.Path!, place < 0 ? bytes.Length + place : place);

        WeightCacheReport mended = Open();

        Assert.Equal((PackedWeightsPlace.WrittenFile, written.Path), (mended.Place, mended.Path));
        Assert.Contains("was damaged", mended.Problem, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(written.Path!));
        Assert.Equal(new WeightCacheReport(PackedWeightsPlace.FoundFile, written.Path, null), Open());
    }

    [Fact]
    public void A_mapped_file_keeps_its_bytes_when_it_is_replaced()
    {
        var layout = new WeightFileLayout(1, _plan);
        string path = Path.Combine(_temporary.Path, "file");
        new WeightFileWriter(layout, _plan, _pool).Write(path);
        PackedMatrix first = _plan.Packed.First();
        using WeightFile mapped = WeightFile.TryOpen(path, layout, _pool, out _)!;
        byte[] before = Bytes(mapped.Memory(first));
        new WeightFileWriter(layout, _plan, _pool).Write(path);
        File.Delete(path);

        Assert.Equal(before, Bytes(mapped.Memory(first)));
    }

    [Fact]
    public void Another_version_of_an_entry_is_deleted_and_another_family_kept()
    {
        string old = Entry("fast", key: 7, bytes: 10);
        string other = Entry("fp32", key: 7, bytes: 10);

        WeightCacheReport report = Open();

        Assert.Equal(new[] { report.Path, other }.Order(StringComparer.Ordinal), Entries.Order(StringComparer.Ordinal));
        Assert.False(File.Exists(old));
    }

    [Fact]
    public void Layouts_of_another_name_or_place_have_another_key()
    {
        var fp32 = PackingPlan.Create(ModelGraph.Build(_source), new Fp32NumericClass());
        UInt128 key = new WeightFileLayout(1, _plan).Key;

        Assert.Equal(key, new WeightFileLayout(1, PackingPlan.Create(ModelGraph.Build(_source), new Int8BlockNumericClass())).Key);
        Assert.NotEqual(key, new WeightFileLayout(2, _plan).Key);
        Assert.NotEqual(key, new WeightFileLayout(1, fp32).Key);
        string plan = System.Text.Encoding.UTF8.GetString(_plan.ToBytes());
        Assert.All(_plan.Packed, matrix => Assert.Contains(matrix.Form.Name, plan, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_longest_unused_goes_first_and_what_is_in_use_never()
    {
        long own = new WeightFileLayout(1, _plan).FileBytes;
        string inUse = Entry("a", key: 1, bytes: 1000, hoursUnused: 5);
        string oldest = Entry("b", key: 2, bytes: 1000, hoursUnused: 4);
        string older = Entry("c", key: 3, bytes: 1000, hoursUnused: 3);
        string recent = Entry("d", key: 4, bytes: 1000, hoursUnused: 2);
        using FileStream user = new(inUse, FileMode.Open, FileAccess.Read, FileShare.Read);

        WeightCacheReport report = Open(bytesMax: own + 2500);

        Assert.Equal(PackedWeightsPlace.WrittenFile, report.Place);
        Assert.Equal(new[] { report.Path, inUse, recent }.Order(StringComparer.Ordinal), Entries.Order(StringComparer.Ordinal));
        Assert.False(File.Exists(oldest) || File.Exists(older));
    }

    [Fact]
    public void A_warm_load_counts_as_use()
    {
        string path = Open().Path!;
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-9));
        Open();

        Assert.True(DateTime.UtcNow - File.GetLastWriteTimeUtc(path) < TimeSpan.FromHours(1));
    }

    [Fact]
    public void An_entry_that_does_not_fit_below_the_bound_is_not_written_and_nothing_goes_for_it()
    {
        Entry("b", key: 2, bytes: 1000);

        WeightCacheReport report = Open(bytesMax: 5000);

        Assert.Equal(PackedWeightsPlace.OwnMemory, report.Place);
        Assert.Contains("allow it more", report.Problem, StringComparison.Ordinal);
        Assert.Single(Entries);
    }

    [Fact]
    public void Drafts_of_writers_that_died_are_deleted()
    {
        string draft = Path.Combine(_temporary.Path, "x.weights.1.draft");
        File.WriteAllBytes(draft, new byte[10]);
        Open();

        Assert.False(File.Exists(draft));
        Assert.Empty(Directory.GetFiles(_temporary.Path, "*.draft"));
    }

    public void Dispose()
    {
        _source.Dispose();
        _pool.Dispose();
        _temporary.Dispose();
    }

    private WeightCacheReport Open(long bytesMax = 1 << 30)
    {
        var cache = new WeightCache(new WeightCacheOptions { Folder = _temporary.Path, BytesMax = bytesMax }, TimeProvider.System);
        cache.Open(_source, _plan, "fast", _pool, out WeightCacheReport report)?.Dispose();
        return report;
    }

    /// <summary>An entry of the same model as another version would have left it.</summary>
    private string Entry(string family, int key, int bytes, int hoursUnused = 1)
    {
        UInt128 content = new ContentIdentity(_temporary.Path, _pool, TimeProvider.System).Find(_source);
        string path = new WeightCacheFolder(_temporary.Path, TimeProvider.System).EntryPath(content, family, (UInt128)key);
        File.WriteAllBytes(path, new byte[bytes]);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-hoursUnused));
        return path;
    }

    private static unsafe byte[] Bytes(PackedMemory memory) => new ReadOnlySpan<byte>(memory.Address, (int)memory.ByteCount).ToArray();

    private static void Flip(string path, long place)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = place;
        int value = file.ReadByte();
        file.Position = place;
        file.WriteByte((byte)(value ^ 0x10));
    }
}
