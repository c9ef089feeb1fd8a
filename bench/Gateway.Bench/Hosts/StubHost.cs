using System.Net;
using System.Net.Mime;
using Google.Protobuf;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Bench.Hosts;

/// <summary>A decode worker that computes nothing: it answers the internal API over HTTP/2, and the public one, with the same text, over HTTP/1.1.</summary>
internal static class StubHost
{
    /// <summary>What it answers the public API with; as long as the gateway's answer.</summary>
    private static readonly byte[] _json =
        """
        {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion","created":1700000000,"model":"smollm2-135m-instruct","system_fingerprint":"fp_0123456789abcdef","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"The capital of France is Paris.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":37,"completion_tokens":8,"total_tokens":45,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}
        """u8.ToArray();

    private static readonly byte[] _events = Events();

    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        app.MapPost(InternalApi.CompletionsRoute, context => AnswerAsync(context, InternalApi.EventStreamContentType, _events));
        app.MapPost("/v1/chat/completions", context => AnswerAsync(context, MediaTypeNames.Application.Json, _json));
        await app.RunAsChildAsync();
    }

    private static async Task AnswerAsync(HttpContext context, string contentType, byte[] body)
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        context.Response.ContentType = contentType;
        await context.Response.Body.WriteAsync(body);
    }

    private static byte[] Events()
    {
        using var events = new MemoryStream();
        new CompletionEvent { Started = new CompletionStarted { PromptTokens = 37, ComputedPromptTokens = 1, DecodeWorker = "decode-1", PrefillWorker = "prefill-1" } }.WriteDelimitedTo(events);
        string[] texts = ["The", " capital", " of", " France", " is", " Paris", "."];
        for (int position = 0; position < texts.Length; position++)
        {
            new CompletionEvent { Tokens = new TokenChunk { Ids = { position }, Text = texts[position], Position = position } }.WriteDelimitedTo(events);
        }

        new CompletionEvent { Finished = new CompletionFinished { Reason = FinishReason.Stop, CompletionTokens = texts.Length + 1 } }.WriteDelimitedTo(events);
        return events.ToArray();
    }
}
