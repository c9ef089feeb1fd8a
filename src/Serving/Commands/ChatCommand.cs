using System.CommandLine;
using Serving.Cli.Chat;
using Serving.Cli.Machine;
using Serving.Cli.Output;
using Serving.Cli.State;
using Serving.Cli.Up;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Commands;

/// <summary><c>serving chat</c>: a chat in the terminal. Where no platform runs it starts one for as long as it needs.</summary>
internal sealed class ChatCommand : Command
{
    /// <summary>What a shell reports for a program that Ctrl-C ended.</summary>
    private const int InterruptedExitCode = 130;

    private readonly Argument<string> _question = new("question")
    {
        Description = "What to ask; without it a conversation begins (/exit ends it, /reset begins anew)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<Uri> _url = CommandOptions.Url("Address of the API. Where nothing answers on this machine, the platform that uses the data folder is asked, and where there is none, one is started for as long as the chat lasts");

    private readonly Option<string> _model = new("--model")
    {
        Description = "Model to talk to (default: the first one that is served)",
        HelpName = "NAME",
    };

    private readonly Option<string> _system = new("--system") { Description = "Instructions that the conversation begins with", HelpName = "TEXT" };

    // The API's own default, 1 and no limit, suits large models: a small one wanders off.
    private readonly Option<double> _temperature = new("--temperature")
    {
        Description = "Randomness, from 0, the likeliest answer, to 2",
        HelpName = "T",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<int> _maxTokens = new("--max-tokens")
    {
        Description = "Most tokens of an answer",
        HelpName = "N",
        DefaultValueFactory = _ => 1024,
    };

    private readonly Option<string> _apiKey = new("--api-key")
    {
        Description = $"Key that the API asks for (default: the environment's {CommandOptions.ApiKeyVariable})",
        HelpName = "KEY",
    };

    private readonly Option<string> _data = CommandOptions.DataFolder();

    public ChatCommand()
        : base("chat", "Ask a question or hold a conversation in the terminal. Only the answer goes to standard output.")
    {
        _temperature.Validators.Add(result => CommandOptions.CheckRange(result, _temperature, 0, 2));
        _maxTokens.Validators.Add(result => CommandOptions.CheckRange(result, _maxTokens, 1, int.MaxValue));
        Arguments.Add(_question);
        CommandOptions.AddTo(this, [_url, _model, _system, _temperature, _maxTokens, _apiKey, _data]);
        SetAction((result, _) => RunAsync(result));
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving chat \"What is the capital of France?\"",
        "serving chat --system \"Answer in one word.\" --temperature 0",
        "serving chat --url https://llm.example --api-key sk-… \"Hello\"",
    ];

    private async Task<int> RunAsync(ParseResult result)
    {
        var reporter = new Reporter(Verbosity.Normal);
        using var signals = new StopSignals();
        Platform? platform = null;
        try
        {
            (var client, platform) = await ConnectAsync(result, reporter, signals.Stop);
            using (client)
            {
                await TalkAsync(client, result, signals);
            }

            return 0;
        }
        catch (Exception e) when (e is StartupException or ApiException)
        {
            reporter.Error(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            return InterruptedExitCode;
        }
        finally
        {
            if (platform is not null)
            {
                await platform.StopAsync(signals.Kill);
                await platform.DisposeAsync();
            }
        }
    }

    private async Task<(ChatClient Client, Platform? Platform)> ConnectAsync(ParseResult result, Reporter reporter, CancellationToken stop)
    {
        var url = result.GetValue(_url)!;
        var apiKey = result.GetValue(_apiKey) ?? CommandOptions.ApiKeyFromEnvironment();
        var client = new ChatClient(url, apiKey);
        if (await client.AnswersAsync(stop))
        {
            return (client, null);
        }

        client.Dispose();
        if (!url.IsLoopback)
        {
            throw new ApiException($"Nothing answers at {url}.");
        }

        var dataFolder = result.GetValue(_data)!;
        if (DataFolder.Running(dataFolder) is { } running)
        {
            reporter.Progress($"Nothing answers at {url}: asking the platform at {running.Url}, which uses the data folder {Path.GetFullPath(dataFolder)}");
            return (new ChatClient(new Uri(running.Url), apiKey), null);
        }

        var settings = PlatformSettings.Default(dataFolder, AppContext.BaseDirectory) with { Port = FreePort.Find() };
        var platform = await reporter.RunAsync(
            $"Nothing answers at {url}: starting a platform for this chat",
            () => Platform.StartAsync(settings, reporter, TimeProvider.System, stop));
        return (new ChatClient(settings.LocalUrl, apiKey: null), platform);
    }

    private async Task TalkAsync(ChatClient client, ParseResult result, StopSignals signals)
    {
        var request = new ChatRequest(
            result.GetValue(_model) ?? await client.FirstModelAsync(signals.Stop),
            result.GetValue(_system) is { } system ? [new ChatMessage("system", system)] : [],
            result.GetValue(_temperature),
            result.GetValue(_maxTokens));
        var session = new ChatSession(client, request, Console.In, Console.Out, Console.Error);
        if (result.GetValue(_question) is { } question)
        {
            await session.AskAsync(question, signals.Stop);
        }
        else
        {
            signals.TakeInterrupt = session.TryCancelAnswer;
            await session.RunAsync(signals.Stop);
        }
    }
}
