using System.CommandLine;
using Serving.Cli.Inspect;
using Serving.Cli.Output;
using Serving.Engine.Execution;
using Serving.Engine.Formats;

namespace Serving.Cli.Commands;

/// <summary><c>serving model inspect</c>: what a model is and what it will take to run it.</summary>
internal sealed class ModelInspectCommand : Command
{
    private readonly Argument<string> _model = new("PATH") { Description = "A GGUF file or a Hugging Face folder" };

    private readonly Option<string> _compute = ComputeOption.Create("The path whose kernels and memory are shown", ComputeClass.Fast);

    private readonly Option<bool> _tensors = new("--tensors") { Description = "List every tensor, not one line for all layers" };

    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON object" };

    public ModelInspectCommand()
        : base("inspect", "Show a model's architecture, sizes, quantisation, kernels, memory and chat template. The exit code is 1 where it cannot be run.")
    {
        Arguments.Add(_model);
        CommandOptions.AddTo(this, [_compute, _tensors, _json]);
        SetAction(Run);
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving model inspect models/docs-moe",
        "serving model inspect model.gguf --tensors --compute fp32",
    ];

    private int Run(ParseResult result)
    {
        try
        {
            using var source = ModelSource.Open(result.GetValue(_model)!);
            var inspection = ModelInspection.Of(source, ComputeOption.Read(result, _compute), groups: !result.GetValue(_tensors));
            Action<ModelInspection, TextWriter> write = result.GetValue(_json) ? ModelInspectionWriter.WriteJson : ModelInspectionWriter.WriteText;
            write(inspection, result.InvocationConfiguration.Output);
            return 0;
        }
        catch (Exception e) when (e is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            result.InvocationConfiguration.Error.WriteLine(PrintableLine.Of(e.Message));
            return 1;
        }
    }
}
