using Serving.ServiceDefaults.Hosting;
using Serving.Text.ToolCalls;

namespace Serving.Cli.Up;

/// <summary>The values of <c>--tool-parser</c>: <c>NAME</c> for every model, <c>MODEL=NAME</c> for one.</summary>
internal static class ToolParserChoice
{
    /// <summary>The models, each with the parser that was chosen for it.</summary>
    /// <exception cref="StartupException">There is no such parser, or no such model.</exception>
    public static IReadOnlyList<ModelFile> Apply(IReadOnlyList<ModelFile> models, IEnumerable<string> arguments)
    {
        foreach (var argument in arguments)
        {
            var separator = argument.LastIndexOf('=');
            var (model, parser) = (separator < 0 ? null : argument[..separator], argument[(separator + 1)..]);
            if (!AnswerFormat.Names.Contains(parser))
            {
                throw new StartupException($"--tool-parser {argument}: there is no parser {parser}. There are {string.Join(", ", AnswerFormat.Names)}.");
            }

            if (model is not null && !models.Any(served => served.Name == model))
            {
                throw new StartupException($"--tool-parser {argument}: no model {model} is served. Served: {string.Join(", ", models.Select(served => served.Name))}.");
            }

            models = [.. models.Select(served => model is null || served.Name == model ? served with { ToolParser = parser } : served)];
        }

        return models;
    }
}
