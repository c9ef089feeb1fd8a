using System.CommandLine;
using Serving.Cli.Verify;

namespace Serving.Cli.Commands;

/// <summary><c>serving template verify</c>: chat templates against what transformers rendered.</summary>
internal sealed class TemplateVerifyCommand : VerifyCommand
{
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "JSON object {bos_token, eos_token, templates, cases, rendered}; rendered has rows {template, case, text or error}",
    };

    public TemplateVerifyCommand()
        : base("Render recorded conversations and compare each with the reference's text, or expect an error where it has one.")
    {
        Arguments.Add(_file);
        AddCommonOptions();
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving template verify chat-templates.json",
        "serving template verify chat-templates.json --json --all",
    ];

    protected override IEnumerable<VerifiedRow> Compare(ParseResult result)
    {
        using var golden = GoldenFile.Open(result.GetValue(_file)!);
        foreach (var row in TemplateVerifier.Compare(golden.Root))
        {
            yield return row;
        }
    }
}
