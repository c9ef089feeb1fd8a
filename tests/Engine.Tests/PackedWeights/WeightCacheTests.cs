using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;
using Serving.Engine.PackedWeights;
using Serving.TestKit;

namespace Serving.Engine.Tests.PackedWeights;

/// <summary>Models whose packed weights lie in files that their loaders share.</summary>
public sealed class WeightCacheTests : IDisposable
{
    private readonly ComputePool _pool = new(2);
    private readonly TemporaryFolder _temporary = new();

    private string Folder => Path.Combine(_temporary.Path, "weights");

    private string[] Entries => Directory.GetFiles(Folder, "*.weights");

    public static TheoryData<string, ComputeClass> Models => new()
    {
        { "gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast },
        { "gguf/tiny-256-Q4_1.gguf", ComputeClass.Fp32 },
        { "gguf/tiny-256-Q4_K_M.gguf", ComputeClass.Fast },
        { "models/phi3", ComputeClass.Fast }, // rearranged rows in floats
        { "models/gpt-oss", ComputeClass.Fast },
        { "models/olmoe", ComputeClass.Fast },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void A_warm_load_maps_what_a_cold_one_has_written_and_gives_the_same_bits(string model, ComputeClass computeClass)
    {
        using CpuModelExecutor alone = Load(model, computeClass, cache: null);
        using CpuModelExecutor cold = Load(model, computeClass, Cache());
        if (cold.WeightCache.Path is null)
        {
            // Plain floats that are read in place: nothing to pack.
            Assert.Equal(alone.MappedBytes, cold.MappedBytes);
            Assert.False(Directory.Exists(Folder));
            return;
        }

        using CpuModelExecutor warm = Load(model, computeClass, Cache());

        Assert.Equal(new WeightCacheReport(PackedWeightsPlace.WrittenFile, Assert.Single(Entries), null), cold.WeightCache);
        Assert.Equal(new WeightCacheReport(PackedWeightsPlace.FoundFile, Assert.Single(Entries), null), warm.WeightCache);
        Assert.Equal(alone.WeightBytes + alone.MappedBytes, warm.WeightBytes + warm.MappedBytes);
        Assert.True(warm.WeightBytes < alone.WeightBytes);
        int[] expected = Logits(alone);
        Assert.Equal(expected, Logits(cold));
        Assert.Equal(expected, Logits(warm));
    }

    [Fact]
    public void A_model_whose_weights_are_all_packed_leaves_its_own_file_alone()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Which files are mapped is read from /proc.");
        }

        string path = Path.Combine(_temporary.Path, "model.gguf");
        File.Copy(Repository.DefaultModel, path);
        using CpuModelExecutor executor = ModelLoader.Load(path, Options(ComputeClass.Fast, Cache()), _pool);

        string maps = File.ReadAllText("/proc/self/maps");
        Assert.DoesNotContain(path, maps, StringComparison.Ordinal);
        Assert.Contains(executor.WeightCache.Path!, maps, StringComparison.Ordinal);
    }

    [Fact]
    public void A_renamed_model_is_known_by_what_it_holds_and_another_is_not()
    {
        string original = GoldenFixtures.Path("gguf", "tiny-256-Q4_1.gguf");
        string copy = Path.Combine(_temporary.Path, "copy.gguf");
        File.Copy(original, copy);
        byte[] bytes = File.ReadAllBytes(original);
        bytes[^5] ^= 1;
        string other = Path.Combine(_temporary.Path, "other.gguf");
        File.WriteAllBytes(other, bytes);

        Assert.Equal(
            [PackedWeightsPlace.WrittenFile, PackedWeightsPlace.FoundFile, PackedWeightsPlace.WrittenFile],
            new[] { original, copy, other }.Select(path => Place(path, Cache())));
        Assert.Equal(2, Entries.Length);
    }

    [Fact]
    public void A_model_that_is_changed_in_place_is_noticed_though_its_stamp_was_recorded()
    {
        string path = Path.Combine(_temporary.Path, "model.gguf");
        byte[] bytes = File.ReadAllBytes(GoldenFixtures.Path("gguf", "tiny-256-Q4_1.gguf"));
        File.WriteAllBytes(path, bytes);
        WeightCache later = Cache(time: new ShiftedTime(TimeSpan.FromHours(1)));
        DateTime written = File.GetLastWriteTimeUtc(path);
        Assert.Equal(PackedWeightsPlace.WrittenFile, Place(path, later));
        Assert.Equal(OperatingSystem.IsLinux() ? 1 : 0, Directory.GetFiles(Folder, "*.source").Length);
        Assert.Equal(PackedWeightsPlace.FoundFile, Place(path, later));

        bytes[^5] ^= 1;
        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, written);

        Assert.Equal(PackedWeightsPlace.WrittenFile, Place(path, later));
    }

    [Fact]
    public void A_model_that_was_just_written_is_not_known_by_its_stamp()
    {
        string path = Path.Combine(_temporary.Path, "model.gguf");
        File.Copy(GoldenFixtures.Path("gguf", "tiny-256-Q4_1.gguf"), path);

        Assert.Equal(PackedWeightsPlace.WrittenFile, Place(path, Cache()));
        Assert.Empty(Directory.GetFiles(Folder, "*.source"));
        Assert.Equal(PackedWeightsPlace.FoundFile, Place(path, Cache()));
    }

    [Fact]
    public void Loads_that_start_together_pack_once()
    {
        const int Loads = 6;
        using var begin = new Barrier(Loads);
        var loaded = new CpuModelExecutor[Loads];
        Thread[] threads = [.. Enumerable.Range(0, Loads).Select(i => new Thread(() =>
        {
            begin.SignalAndWait();
            loaded[i] = Load("gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast, Cache());
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Single(Entries);
        Assert.Single(loaded, executor => executor.WeightCache.Place == PackedWeightsPlace.WrittenFile);
        Assert.Equal(Loads - 1, loaded.Count(executor => executor.WeightCache.Place == PackedWeightsPlace.FoundFile));
        int[] expected = Logits(loaded[0]);
        Assert.All(loaded, executor => Assert.Equal(expected, Logits(executor)));
        Array.ForEach(loaded, executor => executor.Dispose());
    }

    [Fact]
    public void Who_waits_too_long_for_another_writer_packs_into_memory()
    {
        Directory.CreateDirectory(Folder);
        using var writer = new FileStream(Path.Combine(Folder, "lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        using CpuModelExecutor executor = Load("gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast, Cache(waitMax: TimeSpan.FromMilliseconds(60)));

        Assert.Equal(PackedWeightsPlace.OwnMemory, executor.WeightCache.Place);
        Assert.Contains("others have been writing", executor.WeightCache.Problem, StringComparison.Ordinal);
        Assert.Empty(Entries);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_costs_memory_and_nothing_else()
    {
        using CpuModelExecutor expected = Load("gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast, cache: null);
        File.WriteAllText(Folder, "a file where the folder should be");
        using CpuModelExecutor executor = Load("gguf/tiny-256-Q4_1.gguf", ComputeClass.Fast, Cache());

        Assert.Equal((PackedWeightsPlace.OwnMemory, Folder), (executor.WeightCache.Place, executor.WeightCache.Path));
        Assert.Contains("own memory, because the weight cache", executor.WeightCache.Problem, StringComparison.Ordinal);
        Assert.Equal(expected.WeightBytes, executor.WeightBytes);
        Assert.Equal(Logits(expected), Logits(executor));
    }

    [Fact]
    public void A_read_only_folder_gives_what_it_has_and_takes_nothing()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("This user may write to every folder.");
            return;
        }

        Place(GoldenFixtures.Path("gguf", "tiny-256-Q4_1.gguf"), Cache());
        File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        foreach (string file in Directory.GetFiles(Folder))
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead);
        }

        try
        {
            Assert.Equal(PackedWeightsPlace.FoundFile, Place(GoldenFixtures.Path("gguf", "tiny-256-Q4_1.gguf"), Cache()));
            Assert.Equal(PackedWeightsPlace.OwnMemory, Place(GoldenFixtures.Path("gguf", "tiny-256-Q4_K_M.gguf"), Cache()));
        }
        finally
        {
            File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public void Dispose()
    {
        _pool.Dispose();
        _temporary.Dispose();
    }

    private WeightCache Cache(TimeSpan? waitMax = null, TimeProvider? time = null) =>
        new(new WeightCacheOptions { Folder = Folder, WaitMax = waitMax ?? TimeSpan.FromMinutes(1) }, time ?? TimeProvider.System);

    private PackedWeightsPlace Place(string path, WeightCache cache)
    {
        using CpuModelExecutor executor = ModelLoader.Load(path, Options(ComputeClass.Fast, cache), _pool);
        return executor.WeightCache.Place;
    }

    private CpuModelExecutor Load(string model, ComputeClass computeClass, WeightCache? cache) =>
        ModelLoader.Load(GoldenFixtures.Path(model.Split('/')), Options(computeClass, cache), _pool);

    private static ModelLoadOptions Options(ComputeClass computeClass, WeightCache? cache) =>
        new() { ComputeClass = computeClass, KvBlocks = 4, StepRowsMax = 32, WeightCache = cache };

    private static int[] Logits(CpuModelExecutor executor)
    {
        var driver = new StepDriver(executor);
        float[] logits = driver.Step(new TestRows(driver.NewSequence(16), [3, 1, 4, 1, 5]))[0];
        return Array.ConvertAll(logits, BitConverter.SingleToInt32Bits);
    }

    private sealed class ShiftedTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
