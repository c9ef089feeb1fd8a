using System.CommandLine;
using Serving.Cli.Machine;
using Serving.Cli.Models;

namespace Serving.Cli.Commands;

/// <summary><c>serving model remove</c>: deletes a model of the data folder.</summary>
internal sealed class ModelRemoveCommand : ModelCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "As 'serving model list' shows it" };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask" };

    public ModelRemoveCommand()
        : base("remove", "Delete a model from the data folder. Only files that were fetched or copied there are deleted; what was added where it lies stays.")
    {
        Arguments.Add(_name);
        AddOptions(_yes);
    }

    protected override async Task<int> RunAsync(ParseResult result, ModelStore store, CancellationToken stop)
    {
        var name = result.GetValue(_name)!;
        var manifest = store.Removable(name);
        var what = manifest.Link is { } link ? $"forget {name}; {link} stays" : $"delete {name}, {ByteSize.Format(manifest.Files.Sum(file => file.Size))} in {store.FolderOf(name)}";
        if (!result.GetValue(_yes))
        {
            await result.InvocationConfiguration.Error.WriteAsync($"This will {what}. Go on? [y/N] ");
            if ((await Console.In.ReadLineAsync(stop))?.Trim().ToUpperInvariant() is not ("Y" or "YES"))
            {
                await result.InvocationConfiguration.Error.WriteLineAsync("Nothing was removed. --yes does not ask.");
                return 1;
            }
        }

        var left = store.Remove(name);
        await result.InvocationConfiguration.Output.WriteLineAsync(left.Count == 0
            ? $"{name} is removed."
            : $"{name} is removed. {store.FolderOf(name)} stays, for it holds what serving did not put there: {string.Join(", ", left.Take(10))}");
        return 0;
    }
}
