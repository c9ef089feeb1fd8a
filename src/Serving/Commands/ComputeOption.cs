using System.CommandLine;
using Serving.Engine.Execution;

namespace Serving.Cli.Commands;

/// <summary><c>--compute</c>: the arithmetic of a model that this process opens itself.</summary>
internal static class ComputeOption
{
    private const string Name = "--compute";
    private const string Fast = "fast";
    private const string Fp32 = "fp32";

    public static Option<string> Create(string description, ComputeClass @default)
    {
        var option = new Option<string>(Name)
        {
            Description = description,
            HelpName = $"{Fast}|{Fp32}",
            DefaultValueFactory = _ => @default == ComputeClass.Fast ? Fast : Fp32,
        };
        option.Validators.Add(result => CommandOptions.Check(result, option, text => text is Fast or Fp32, $"is not known: give {Fast} or {Fp32}"));
        return option;
    }

    public static ComputeClass Read(ParseResult result, Option<string> option) => result.GetValue(option) == Fast ? ComputeClass.Fast : ComputeClass.Fp32;
}
