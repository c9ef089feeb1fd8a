using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Serving.Cli.Up;

namespace Serving.Cli.Commands;

/// <summary>What the commands' options have in common.</summary>
internal static class CommandOptions
{
    /// <summary>The variable that spares a key the command line, which other users of the machine can read.</summary>
    public const string ApiKeyVariable = "SERVING_API_KEY";

    public static string? ApiKeyFromEnvironment() =>
        Environment.GetEnvironmentVariable(ApiKeyVariable) is { Length: > 0 } key ? key : null;

    public static Option<string> DataFolder() => new("--data")
    {
        Description = "Folder for everything that is written: secret, state, logs",
        HelpName = "DIR",
        DefaultValueFactory = _ => PlatformSettings.DefaultDataFolder,
    };

    public static void AddTo(Command command, IEnumerable<Option> options)
    {
        foreach (var option in options)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>An option that takes the address of an API; the one that OpenAI's clients are given, with <c>/v1</c> at its end, means the same.</summary>
    public static Option<Uri> Url(string description) => new("--url")
    {
        Description = description,
        HelpName = "URL",
        DefaultValueFactory = _ => new Uri($"http://{PlatformSettings.DefaultHost}:{PlatformSettings.DefaultPort}"),
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            {
                var path = url.AbsolutePath.TrimEnd('/');
                return path.EndsWith("/v1", StringComparison.Ordinal) ? new Uri(url, path[..^2]) : url;
            }

            result.AddError($"--url {text} is not an address such as http://127.0.0.1:8080.");
            return null;
        },
    };

    /// <summary>Looks at what was written, not at the value: to ask for that which cannot be converted is an exception here.</summary>
    public static void CheckRange<T>(OptionResult result, Option<T> option, double min, double max)
    {
        if (result.Errors.Any() || result.Tokens is not [var token])
        {
            return;
        }

        var isWhole = (Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T)) == typeof(int);
        if (!double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || (isWhole && !double.IsInteger(number)))
        {
            result.AddError($"{option.Name} {token.Value} is not a {(isWhole ? "whole " : "")}number: give {min} to {max}.");
        }
        else if (!(number >= min && number <= max))
        {
            result.AddError($"{option.Name} {token.Value} is out of range: give {min} to {max}.");
        }
    }

    public static void Check<T>(OptionResult result, Option<T> option, Predicate<T> isValid, string complaint)
    {
        if (!result.Errors.Any() && result.GetValue(option) is { } value && !isValid(value))
        {
            result.AddError($"{option.Name} {string.Join(' ', result.Tokens)} {complaint}.");
        }
    }
}
