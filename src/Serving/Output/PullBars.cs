using System.Collections.Concurrent;
using Serving.Cli.Hub;
using Spectre.Console;

namespace Serving.Cli.Output;

/// <summary>How a pull goes, on a terminal: a bar for each file.</summary>
internal sealed class PullBars(ProgressContext context) : IPullProgress
{
    private const int NameLengthMax = 34;

    private readonly ConcurrentDictionary<string, ProgressTask> _tasks = new();

    /// <summary>Shows bars while the work lasts.</summary>
    public static Task<T> RunAsync<T>(IAnsiConsole console, Func<IPullProgress, Task<T>> work) =>
        console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 16 }, new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new PullBars(context)));

    public void Begin(IReadOnlyList<HubFile> files)
    {
        foreach (var file in files.DistinctBy(file => file.Identity))
        {
            var name = file.Name.Length <= NameLengthMax ? file.Name : string.Concat(file.Name.AsSpan(0, 12), "…", file.Name.AsSpan(file.Name.Length - NameLengthMax + 13));
            _tasks[file.Identity] = context.AddTask(Markup.Escape(name), autoStart: true, maxValue: Math.Max(1, file.Size));
        }
    }

    public void Advance(HubFile file, long bytes) => _tasks[file.Identity].Increment(bytes);

    public void Done(HubFile file) => _tasks[file.Identity].Value = Math.Max(1, file.Size);
}
