using System.CommandLine;
using Serving.Cli.Output;
using Serving.Cli.Verify;
using Serving.Cli.Verify.Models;
using Serving.Engine.Execution;
using Serving.Engine.Formats;
using Serving.Engine.KvCache;

namespace Serving.Cli.Commands;

/// <summary><c>serving model verify</c>: a model's logits and greedy tokens against what a reference computed from the same weights.</summary>
internal sealed class ModelVerifyCommand : Command
{
    private readonly Argument<string> _model = new("PATH") { Description = "A GGUF file or a Hugging Face folder" };

    private readonly Option<string> _golden = new("--golden")
    {
        Description = "JSON of a model folder {cases}, of many GGUF files {files}, or of a model that chats {chat, texts}; logits lie in .safetensors beside it",
        HelpName = "FILE",
        Required = true,
    };

    private readonly Option<string> _compute = ComputeOption.Create(
        "fp32: the reference path must give the recorded logits. fast: how far the path that serves is from it", ComputeClass.Fp32);

    private readonly Option<KvDataType?> _kvType = KvTypeOption.Create();

    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON object" };

    public ModelVerifyCommand()
        : base("verify", "Run a model over recorded prompts and compare logits and greedy tokens with the reference's. The exit code is 1 on a miss.")
    {
        Arguments.Add(_model);
        CommandOptions.AddTo(this, [_golden, _compute, _kvType, _json]);
        SetAction(Run);
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving model verify Qwen3-0.6B --golden golden.json",
        "serving model verify model.gguf --golden golden.json --compute fast --json",
    ];

    private int Run(ParseResult result)
    {
        var path = result.GetValue(_model)!;
        try
        {
            var golden = GoldenModelFile.Read(result.GetValue(_golden)!, path);
            using var source = ModelSource.Open(path);
            using var verification = new ModelVerification(source, golden, ComputeOption.Read(result, _compute), result.GetValue(_kvType));
            var report = verification.Run();
            Action<ModelReport, TextWriter> write = result.GetValue(_json) ? ModelReportWriter.WriteJson : ModelReportWriter.WriteText;
            write(report, result.InvocationConfiguration.Output);
            return report.Failures.Count == 0 ? 0 : 1;
        }
        catch (Exception e) when (e is VerifyException or ModelFormatException or IOException or UnauthorizedAccessException)
        {
            result.InvocationConfiguration.Error.WriteLine(PrintableLine.Of(e.Message));
            return 1;
        }
    }
}
