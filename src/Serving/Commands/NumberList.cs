using System.CommandLine;
using System.Globalization;

namespace Serving.Cli.Commands;

/// <summary>Options that take several numbers: <c>1,2,4</c>.</summary>
internal static class NumberList
{
    public static Option<int[]?> Option(string name, string description, int[] @default, int max)
    {
        var option = new Option<int[]?>(name)
        {
            Description = description,
            HelpName = "N,N,…",
            DefaultValueFactory = _ => @default,
            CustomParser = result =>
            {
                var text = string.Join(',', result.Tokens);
                var numbers = text.Split(',', StringSplitOptions.TrimEntries)
                    .Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).ToArray();
                if (Array.TrueForAll(numbers, number => number >= 1 && number <= max))
                {
                    return numbers;
                }

                result.AddError($"{name} {text} is no list of numbers from 1 to {max}, separated by commas.");
                return null;
            },
        };
        return option;
    }
}
