using System.Globalization;
using Serving.TestKit;

namespace Serving.Formats.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record FuzzOptions(int Inputs, int Seed, IReadOnlyList<string> Formats, string? ModelFolder)
{
    private const int InputsDefault = 100_000;

    /// <summary>Null where an argument is not understood.</summary>
    public static FuzzOptions? Parse(string[] args)
    {
        var options = new FuzzOptions(InputsDefault, 1, [], null);
        for (int i = 0; i < args.Length; i += 2)
        {
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            options = (args[i], value) switch
            {
                ("--inputs", not null) when Number(value) is { } inputs and > 0 => options with { Inputs = inputs },
                ("--seed", not null) when Number(value) is { } seed => options with { Seed = seed },
                ("--format", not null) when FormatTargets.All.ContainsKey(value) => options with { Formats = [.. options.Formats, value] },
                ("--models", not null) when Directory.Exists(value) => options with { ModelFolder = value },
                _ => null,
            };
            if (options is null)
            {
                return null;
            }
        }

        return options;
    }

    /// <summary>The formats that were named; all where none was, unless only model folders were.</summary>
    public IEnumerable<Func<FormatTarget>> Targets()
    {
        IEnumerable<string> names = Formats.Count > 0 ? Formats : ModelFolder is null ? FormatTargets.All.Keys : [];
        IEnumerable<string> folders = ModelFolder is null ? [] : Directory.GetDirectories(ModelFolder).Where(folder => File.Exists(Path.Combine(folder, "config.json"))).Order();
        return [.. names.Select(name => FormatTargets.All[name]), .. folders.Select(folder => (Func<FormatTarget>)(() => FormatTargets.Config(folder)))];
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
