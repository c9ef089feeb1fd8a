using System.CommandLine;
using System.Text.Json;
using Serving.Cli.Machine;
using Serving.Cli.Models;

namespace Serving.Cli.Commands;

/// <summary><c>serving model list</c>: the models that can be named.</summary>
internal sealed class ModelListCommand : ModelCommand
{
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON list: [{name, format, size, origin, path}], size in bytes" };

    public ModelListCommand()
        : base("list", "Show the models of the data folder and those that come with the repository: what --model of 'serving up' takes by name.") =>
        AddOptions(_json);

    protected override async Task<int> RunAsync(ParseResult result, ModelStore store, CancellationToken stop)
    {
        var models = store.List();
        var output = result.InvocationConfiguration.Output;
        if (result.GetValue(_json))
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(models, ModelJson.Default.IReadOnlyListInstalledModel));
            return 0;
        }

        if (models.Count == 0)
        {
            await result.InvocationConfiguration.Error.WriteLineAsync($"No model is in {store.Root}. Fetch one with 'serving model pull OWNER/NAME' or add one with 'serving model add PATH'.");
            return 0;
        }

        string[] header = ["NAME", "FORMAT", "SIZE", "ORIGIN", "PATH"];
        IReadOnlyList<string[]> rows = [header, .. models.Select(model => new[] { model.Name, model.Format, ByteSize.Format(model.Size), model.Origin, Shown(model.Path) })];
        var widths = Enumerable.Range(0, header.Length - 1).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
        {
            // Paths come last and are never cut: lines can be copied and grepped.
            await output.WriteLineAsync(string.Concat(widths.Select((width, column) => row[column].PadRight(width + 2))) + row[^1]);
        }

        return 0;
    }

    /// <summary>Below the current folder the shorter way.</summary>
    private static string Shown(string path) =>
        Path.GetRelativePath(Environment.CurrentDirectory, path) is var relative && relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
}
