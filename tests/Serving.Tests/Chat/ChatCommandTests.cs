using System.Net;
using System.Text;
using Serving.Cli.Commands;
using Serving.Cli.Machine;
using Serving.Cli.State;

namespace Serving.Serving.Tests.Chat;

public sealed class ChatCommandTests
{
    [Fact]
    public async Task Where_nothing_answers_the_platform_of_the_data_folder_is_asked()
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        using var api = new HttpListener();
        var url = $"http://127.0.0.1:{FreePort.Find()}/";
        api.Prefixes.Add(url);
        api.Start();
        folder.Announce(new RunningPlatform(42, url, "127.0.0.1:7"));

        var chat = ServingCommand.Create()
            .Parse(["chat", "Hello", "--model", "m", "--data", folder.Root, "--url", $"http://127.0.0.1:{FreePort.Find()}"])
            .InvokeAsync(configuration: null, TestContext.Current.CancellationToken);
        var asked = api.GetContextAsync();
        Assert.Same(asked, await Task.WhenAny(asked, chat));
        var context = await asked;
        using var reader = new StreamReader(context.Request.InputStream);
        Assert.Contains("Hello", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        context.Response.Close(Encoding.UTF8.GetBytes(FakeApi.Stream("Hi.").Body), willBlock: true);

        Assert.Equal(0, await chat);
    }
}
