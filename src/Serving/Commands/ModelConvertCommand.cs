using System.CommandLine;
using System.Diagnostics;
using Serving.Cli.Machine;
using Serving.Cli.Output;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Formats.HuggingFace;
using Serving.Engine.Models;
using Serving.Engine.Models.Conversion;

namespace Serving.Cli.Commands;

/// <summary><c>serving model convert</c>: writes a Hugging Face folder as a GGUF file that llama.cpp loads.</summary>
internal sealed class ModelConvertCommand : Command
{
    private readonly Argument<string> _folder = new("HF_DIR") { Description = "A Hugging Face folder" };

    private readonly Argument<string> _output = new("OUT.gguf") { Description = "The file to write" };

    private readonly Option<string> _type = new("--type")
    {
        Description = $"Format of most matrices: {QuantizationPlan.Names}",
        HelpName = "TYPE",
        DefaultValueFactory = _ => "q8_0",
    };

    private readonly Option<bool> _force = new("--force") { Description = "Replace OUT.gguf where it is there already" };

    public ModelConvertCommand()
        : base("convert", "Write a Hugging Face folder as one GGUF file that llama.cpp loads. What GGUF or llama.cpp cannot express is refused by name.")
    {
        _type.Validators.Add(result => CommandOptions.Check(
            result, _type, name => QuantizationPlan.TryParse(name, out _), $"is not a format that is written; there are {QuantizationPlan.Names}"));
        Arguments.Add(_folder);
        Arguments.Add(_output);
        CommandOptions.AddTo(this, [_type, _force]);
        SetAction((result, _) => Task.FromResult(Run(result)));
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving model convert Qwen3-0.6B qwen3-0.6b.gguf",
        "serving model convert Llama-3.2-1B-Instruct llama.gguf --type q4_k",
    ];

    private int Run(ParseResult result)
    {
        var error = result.InvocationConfiguration.Error;
        var output = Path.GetFullPath(result.GetValue(_output)!);
        if (File.Exists(output) && !result.GetValue(_force))
        {
            error.WriteLine($"{output} is there already: --force replaces it.");
            return 1;
        }

        using var signals = new StopSignals();
        try
        {
            // The option's validator has let through known names only.
            _ = QuantizationPlan.TryParse(result.GetValue(_type)!, out var type);
            return Convert(result.GetValue(_folder)!, output, type, result.InvocationConfiguration.Output, signals.Stop);
        }
        catch (Exception e) when (e is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine(PrintableLine.Of(e.Message));
            return 1;
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("Stopped; nothing was written.");
            return 130;
        }
    }

    private static int Convert(string folder, string output, GgmlType type, TextWriter log, CancellationToken stop)
    {
        var begin = Stopwatch.GetTimestamp();
        if (!HuggingFaceSource.IsFolder(folder))
        {
            throw new ModelFormatException(folder, null, "the path", "is no Hugging Face folder: it has no config.json");
        }

        using (var source = HuggingFaceSource.Open(Path.GetFullPath(folder)))
        {
            GgufConversion.Prepare(source, type).Save(output, stop);
        }

        // What was written is what will be served.
        using var written = ModelSource.Open(output);
        var graph = ModelGraph.Build(written);
        written.ReadText();
        log.WriteLine($"{output}: {graph.Config.Architecture}, {type}, {ByteSize.Format(written.ByteCount)}, in {Stopwatch.GetElapsedTime(begin).TotalSeconds:F1} s");
        return 0;
    }
}
