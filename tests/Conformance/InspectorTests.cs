using System.Net;
using System.Net.Http.Json;
using System.Text;
using Serving.EndToEnd;

namespace Serving.Conformance;

/// <summary>What would let every other test here pass: a validator that finds nothing.</summary>
public sealed class InspectorTests
{
    /// <summary>Answers without one member that is required, and a request with a field of the wrong type.</summary>
    [Fact]
    public async Task An_answer_or_a_chunk_that_lacks_a_member_and_a_wrong_request_are_found()
    {
        Uri address = new($"http://127.0.0.1:{Platform.FreePort()}");
        using HttpListener server = new() { Prefixes = { address.ToString() } };
        server.Start();
        _ = ServeAsync(server);
        await using Inspector inspector = await Inspector.StartAsync(address);
        using HttpClient client = new() { BaseAddress = address };
        const string messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

        foreach ((string route, string request, string validator, string problem) in new[]
        {
            ("chat/completions", $"{{\"model\":\"m\",{messages}}}", "prism", "logprobs"),
            ("chat/completions", $"{{\"model\":\"m\",\"stream\":true,{messages}}}", "ajv", "finish_reason"),
            ("embeddings", "{\"model\":\"m\",\"input\":\"Hi\"}", "prism", "usage"),
            ("responses", "{\"model\":\"m\",\"input\":\"Hi\"}", "prism", "output"),
            ("chat/completions", "{\"model\":7,\"messages\":[]}", "prism", "messages"),
        })
        {
            using HttpContent body = new StringContent(request, Encoding.UTF8, "application/json");
            using HttpRequestMessage message = new(HttpMethod.Post, $"{inspector.Api}/{route}") { Content = body };
            message.Headers.Authorization = new("Bearer", "key");
            using HttpResponseMessage response = await client.SendAsync(message);
            (_, string[] problems) = await inspector.ReportAsync();
            Assert.True(problems.Any(found => found.Contains($"\"{validator}\":", StringComparison.Ordinal) && found.Contains(problem, StringComparison.Ordinal)), $"{request}: {(int)response.StatusCode} {string.Join('\n', problems)}");
        }

        server.Stop();
    }

    private static async Task ServeAsync(HttpListener server)
    {
        while (server.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await server.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using StreamReader request = new(context.Request.InputStream);
            bool streams = (await request.ReadToEndAsync()).Contains("\"stream\":true", StringComparison.Ordinal);
            string answer = (streams, context.Request.Url!.AbsolutePath) switch
            {
                (true, _) => "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{}}]}\n\ndata: [DONE]\n\n",
                (_, "/v1/chat/completions") => """{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hi","refusal":null}}]}""",
                (_, "/v1/embeddings") => """{"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[1]}]}""",
                _ => """{"id":"x","object":"response","created_at":1,"model":"m","error":null,"incomplete_details":null,"instructions":null,"tools":[],"parallel_tool_calls":true,"metadata":{},"tool_choice":"auto","temperature":1,"top_p":1}""",
            };
            context.Response.ContentType = streams ? "text/event-stream" : "application/json";
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer));
            context.Response.Close();
        }
    }
}
