using Serving.Contracts.Cluster;
using Serving.Engine.Execution;
using Serving.Engine.Formats;
using Serving.Text.Tokenization;
using Serving.Text.ToolCalls;
using Serving.Worker.Loop;

namespace Serving.Worker.Models;

/// <summary>One loaded model: its executor, the engine that runs it, and what turns text into its tokens and back.</summary>
/// <param name="AnswerFormat">How it writes reasoning and tool calls.</param>
/// <param name="Grammars">Compiles what answers are held to.</param>
/// <param name="SamplingDefaults">What its makers recommend where a request is silent.</param>
/// <param name="Memory">Where its memory goes.</param>
/// <param name="EndTokens">Tokens after which the model has nothing more to say.</param>
internal sealed record ModelRuntime(
    ServedModel Served,
    IModelExecutor Executor,
    EngineLoop Engine,
    ITokenizer Tokenizer,
    PromptEncoder Prompts,
    AnswerFormat AnswerFormat,
    GrammarCompiler Grammars,
    SamplingDefaults SamplingDefaults,
    ModelMemory Memory,
    ReadOnlyMemory<int> EndTokens) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        Executor.Dispose();
    }
}
