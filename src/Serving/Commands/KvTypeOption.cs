using System.CommandLine;
using System.CommandLine.Parsing;
using Serving.Engine.KvCache;

namespace Serving.Cli.Commands;

/// <summary><c>--kv-type</c>: how the KV cache stores numbers.</summary>
internal static class KvTypeOption
{
    private const string Name = "--kv-type";

    public static Option<KvDataType?> Create() => new(Name)
    {
        Description = "How the KV cache stores numbers (default: fp16, and fp32 with --compute fp32)",
        HelpName = "fp32|fp16|int8",
        CustomParser = Parse,
    };

    private static KvDataType? Parse(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        KvDataType? type = text switch
        {
            "fp32" => KvDataType.Float32,
            "fp16" => KvDataType.Float16,
            "int8" => KvDataType.Int8,
            _ => null,
        };
        if (type is null)
        {
            result.AddError($"{Name} {text} is not known: give fp32, fp16 or int8.");
        }

        return type;
    }
}
