using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Up;

/// <summary>Another name for a served model.</summary>
internal sealed record ModelAlias(string Name, string Model)
{
    /// <summary>Reads the values of <c>--model-alias</c>.</summary>
    /// <exception cref="StartupException">One is not <c>NAME=MODEL</c>, names no served model, or hides another name.</exception>
    public static IReadOnlyList<ModelAlias> ResolveAll(IEnumerable<string> arguments, IReadOnlyList<ModelFile> models)
    {
        var aliases = new List<ModelAlias>();
        foreach (var argument in arguments)
        {
            var alias = Parse(argument);
            if (!models.Any(model => model.Name == alias.Model))
            {
                throw new StartupException($"--model-alias {argument}: no model {alias.Model} is served. Served: {string.Join(", ", models.Select(model => model.Name))}.");
            }

            if (models.Any(model => model.Name == alias.Name))
            {
                throw new StartupException($"--model-alias {argument}: a served model is called {alias.Name} already.");
            }

            if (aliases.Any(other => string.Equals(other.Name, alias.Name, StringComparison.OrdinalIgnoreCase)))
            {
                throw new StartupException($"--model-alias {argument}: {alias.Name} is given twice.");
            }

            aliases.Add(alias);
        }

        return aliases;
    }

    private static ModelAlias Parse(string argument)
    {
        var separator = argument.IndexOf('=', StringComparison.Ordinal);
        if (separator <= 0 || separator == argument.Length - 1)
        {
            throw new StartupException($"--model-alias {argument} is not NAME=MODEL, such as gpt-4o-mini={ModelFile.DefaultName}.");
        }

        var name = argument[..separator];
        // The gateway reads its configuration from environment variables, in whose names both separate sections.
        return name.Contains(':', StringComparison.Ordinal) || name.Contains("__", StringComparison.Ordinal)
            ? throw new StartupException($"--model-alias {argument}: an alias cannot have ':' or '__' in it.")
            : new ModelAlias(name, argument[(separator + 1)..]);
    }
}
