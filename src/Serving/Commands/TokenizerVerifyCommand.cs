using System.CommandLine;
using Serving.Cli.Verify;
using Serving.Text.Tokenization;

namespace Serving.Cli.Commands;

/// <summary><c>serving tokenizer verify</c>: a tokenizer.json against what Hugging Face's library said of some texts.</summary>
internal sealed class TokenizerVerifyCommand : VerifyCommand
{
    private readonly Argument<string> _tokenizer = new("TOKENIZER.json") { Description = "A model's tokenizer.json" };

    private readonly Option<string> _golden = new("--golden")
    {
        Description = "JSON list of rows {text, ids, ids_with_special, decoded, decoded_skip_special, stream} from the reference",
        HelpName = "FILE",
        Required = true,
    };

    public TokenizerVerifyCommand()
        : base("Encode, decode and stream recorded texts with a tokenizer and compare each with what the reference made of it.")
    {
        Arguments.Add(_tokenizer);
        Options.Add(_golden);
        AddCommonOptions();
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving tokenizer verify Qwen3-0.6B/tokenizer.json --golden golden.json",
        "serving tokenizer verify tokenizer.json --golden golden.json --json --all",
    ];

    protected override IEnumerable<VerifiedRow> Compare(ParseResult result)
    {
        var tokenizer = Load(result.GetValue(_tokenizer)!);
        using var golden = GoldenFile.Open(result.GetValue(_golden)!);
        foreach (var row in TokenizerVerifier.Compare(tokenizer, golden.Root))
        {
            yield return row;
        }
    }

    private static ITokenizer Load(string path)
    {
        try
        {
            return TokenizerJson.Load(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerifyException($"{path}: cannot be read: {e.Message}");
        }
        catch (TokenizerFormatException e)
        {
            throw new VerifyException($"{path}: {e.Message}");
        }
        catch (InvalidOperationException e) when (e.Source?.StartsWith("System.Text.Json", StringComparison.Ordinal) == true)
        {
            // Half a character in a string or a name: JSON's parser passes over it, and whoever reads the string meets it.
            throw new VerifyException($"{path}: {e.Message}");
        }
    }
}
