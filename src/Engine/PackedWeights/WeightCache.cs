using System.Diagnostics.CodeAnalysis;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.PackedWeights;

/// <summary>
/// Files of packed weights in a folder: a model is packed once, and every process that loads it maps the same pages. An entry is found by what the model's files hold and
/// how its matrices are laid out; one that is damaged is written anew. Where the folder cannot be used, the caller packs into memory.
/// </summary>
public sealed class WeightCache
{
    private const int PollMilliseconds = 20;

    private readonly WeightCacheOptions _options;
    private readonly WeightCacheFolder _folder;
    private readonly TimeProvider _time;

    public WeightCache(WeightCacheOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentOutOfRangeException.ThrowIfNegative(options.BytesMax);
        _options = options with { Folder = Path.GetFullPath(options.Folder) };
        _folder = new WeightCacheFolder(_options.Folder, time);
        _time = time;
    }

    /// <summary>Finds or writes the file of a model's packed weights.</summary>
    /// <param name="family">Which of a model's files it replaces: one for each way to compute.</param>
    /// <returns>The file, which the caller disposes; null where there can be none, and the report says why.</returns>
    /// <exception cref="ModelFormatException">The model's files cannot be packed.</exception>
    internal WeightFile? Open(ModelSource source, PackingPlan plan, string family, ComputePool pool, out WeightCacheReport report)
    {
        if (plan.ByteCount == 0)
        {
            report = WeightCacheReport.None;
            return null;
        }

        try
        {
            _folder.Create();
            UInt128 content = new ContentIdentity(_folder.Root, pool, _time).Find(source);
            var layout = new WeightFileLayout(content, plan);
            string path = _folder.EntryPath(content, family, layout.Key);
            return TryOpen(path, layout, pool, null, out report)
                ?? Write(new WeightFileWriter(layout, plan, pool), content, family, path, layout, pool, ref report);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            report = InMemory(exception.Message);
            return null;
        }
    }

    private WeightFile? TryOpen(string path, WeightFileLayout layout, ComputePool pool, string? problem, out WeightCacheReport report)
    {
        WeightFile? file = WeightFile.TryOpen(path, layout, pool, out string? damage);
        report = new WeightCacheReport(PackedWeightsPlace.FoundFile, path, damage is null ? problem : $"{path} was damaged ({damage}) and is written anew");
        if (file is not null)
        {
            _folder.MarkUsed(path);
        }

        return file;
    }

    private WeightFile? Write(
        WeightFileWriter writer, UInt128 content, string family, string path, WeightFileLayout layout, ComputePool pool, ref WeightCacheReport report)
    {
        if (!TryLock(out IDisposable? held))
        {
            report = InMemory($"others have been writing to it for {_options.WaitMax.TotalSeconds:0} s");
            return null;
        }

        using (held)
        {
            // Somebody may have written it while this process waited.
            if (TryOpen(path, layout, pool, report.Problem, out report) is { } written)
            {
                return written;
            }

            if (!_folder.MakeRoom(path, content, family, layout.FileBytes, _options.BytesMax))
            {
                report = InMemory($"{layout.FileBytes} bytes do not fit into the {_options.BytesMax} that it may have, beside what workers use; allow it more");
                return null;
            }

            writer.Write(path);
            string? problem = report.Problem;
            WeightFile? file = TryOpen(path, layout, pool, problem, out report);
            report = file is null
                ? InMemory($"what was written to {path} is not what can be read there")
                : report with { Place = PackedWeightsPlace.WrittenFile };
            return file;
        }
    }

    private bool TryLock([NotNullWhen(true)] out IDisposable? held)
    {
        long begin = _time.GetTimestamp();
        using var never = new ManualResetEventSlim();
        while (!_folder.TryLock(out held))
        {
            if (_time.GetElapsedTime(begin) > _options.WaitMax)
            {
                return false;
            }

            never.Wait(PollMilliseconds);
        }

        return true;
    }

    private WeightCacheReport InMemory(string problem) => new(
        PackedWeightsPlace.OwnMemory, _options.Folder, $"the weights are packed into this process's own memory, because the weight cache {_options.Folder} cannot be used: {problem}");
}
