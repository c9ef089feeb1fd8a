using System.Net;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>Streams whose worker says nothing for long.</summary>
public sealed class KeepAliveTests
{
    private const string Comment = ": keep-alive\n\n";

    [Fact]
    public async Task A_stream_whose_first_event_is_late_begins_with_comments_and_goes_on_as_any_other()
    {
        var goesOn = new TaskCompletionSource();
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await goesOn.Task.WaitAsync(exchange.Cancelled);
            await exchange.AnswerAsync("late");
        };
        await using var gateway = await StartAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"), HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()));
        var first = await reader.ReadLineAsync(TestTime.Limit());
        goesOn.SetResult();
        var rest = await reader.ReadToEndAsync(TestTime.Limit());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(Comment.TrimEnd(), first);
        Assert.Contains("\"content\":\"late\"", rest, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Comments_flow_between_two_tokens_too()
    {
        var goesOn = new TaskCompletionSource();
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.TokenAsync("one");
            await goesOn.Task.WaitAsync(exchange.Cancelled);
            await exchange.TokenAsync(" two");
            await exchange.FinishAsync();
        };
        await using var gateway = await StartAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"), HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()));
        string? line;
        do
        {
            line = await reader.ReadLineAsync(TestTime.Limit());
        }
        while (line is not null && line != Comment.TrimEnd());

        goesOn.SetResult();
        var rest = await reader.ReadToEndAsync(TestTime.Limit());

        Assert.NotNull(line);
        Assert.Contains("\"content\":\" two\"", rest, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_after_the_headers_have_gone_is_an_error_event_and_no_end()
    {
        var goesOn = new TaskCompletionSource();
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await goesOn.Task.WaitAsync(exchange.Cancelled);
            await exchange.RefuseAsync(new RequestError { Fault = Fault.Client, Status = 400, Message = "The prompt is too long.", Code = "context_length_exceeded" });
        };
        await using var gateway = await StartAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"), HttpCompletionOption.ResponseHeadersRead);
        var (text, exception) = await ReadAsync(response, Comment, goesOn.SetResult);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("context_length_exceeded", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.NotNull(exception);
    }

    [Fact]
    public async Task A_worker_silent_beyond_the_operators_limit_ends_the_stream_in_an_error_event()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => exchange.UntilCancelledAsync();
        await using var gateway = await StartAsync(worker, ("Gateway:SilenceSecondsMax", "0.3"));

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"), HttpCompletionOption.ResponseHeadersRead);
        var (text, exception) = await ReadAsync(response);

        Assert.Contains("worker_silent", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.NotNull(exception);
    }

    [Fact]
    public async Task A_client_that_leaves_among_the_comments_stops_its_worker()
    {
        var stopped = new TaskCompletionSource();
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.UntilCancelledAsync();
            stopped.SetResult();
        };
        await using var gateway = await StartAsync(worker);

        using (var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"), HttpCompletionOption.ResponseHeadersRead))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()));
            Assert.Equal(Comment.TrimEnd(), await reader.ReadLineAsync(TestTime.Limit()));
        }

        await stopped.Task.WaitAsync(TestTime.LimitTime);
    }

    private static Task<TestGateway> StartAsync(StubWorker worker, params (string Key, string Value)[] settings)
    {
        var cluster = new FakeClusterView();
        cluster.Add(worker.Registration());
        return TestGateway.StartAsync(cluster, [("Gateway:KeepAliveSeconds", "0.05"), .. settings]);
    }

    /// <summary>Everything that comes, and how it broke off.</summary>
    /// <param name="awaited">After this text has come, <paramref name="then"/> runs.</param>
    private static async Task<(string Text, Exception? Exception)> ReadAsync(HttpResponseMessage response, string? awaited = null, Action? then = null)
    {
        var text = "";
        var buffer = new char[1024];
        try
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()));
            int count;
            while ((count = await reader.ReadAsync(buffer, TestTime.Limit())) > 0)
            {
                text += new string(buffer, 0, count);
                if (awaited is not null && text.Contains(awaited, StringComparison.Ordinal))
                {
                    awaited = null;
                    then!();
                }
            }

            return (text, null);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            return (text, exception);
        }
    }
}
