namespace Serving.Contracts.Internal;

/// <summary>Routes, headers and content types of the internal API, which every worker serves as HTTP/2 without TLS.</summary>
public static class InternalApi
{
    /// <summary>POST: one <see cref="CompletionRequest"/> in, a delimited stream of <see cref="CompletionEvent"/> out.</summary>
    public const string CompletionsRoute = "/internal/v1/completions";

    /// <summary>POST: one <see cref="TokenizeRequest"/> in, one <see cref="TokenizeResponse"/> out.</summary>
    public const string TokenizeRoute = "/internal/v1/tokenize";

    /// <summary>POST: one <see cref="DetokenizeRequest"/> in, one <see cref="DetokenizeResponse"/> out.</summary>
    public const string DetokenizeRoute = "/internal/v1/detokenize";

    /// <summary>POST: one <see cref="EmbeddingsRequest"/> in, one <see cref="EmbeddingsResponse"/> out.</summary>
    public const string EmbeddingsRoute = "/internal/v1/embeddings";

    /// <summary>GET: the worker's <c>WorkerState</c> as JSON: sequences, KV blocks, counters.</summary>
    public const string StateRoute = "/internal/state";

    /// <summary>The body of a request.</summary>
    public const string RequestContentType = "application/vnd.serving.request.v1+protobuf";

    /// <summary>The body of an answer that is one message.</summary>
    public const string ResponseContentType = "application/vnd.serving.response.v1+protobuf";

    /// <summary>The body of a completion answer.</summary>
    public const string EventStreamContentType = "application/vnd.serving.events.v1+protobuf";

    /// <summary>The body of an answer that failed before its first event: one <see cref="RequestError"/>.</summary>
    public const string ErrorContentType = "application/vnd.serving.error.v1+protobuf";
}

/// <summary>Headers of our own: how long a request may take, and in the answer the way that it took.</summary>
public static class ServingHeaders
{
    public const string RequestId = "x-request-id";

    /// <summary>Of a request: milliseconds after which it ends with an error, done or not.</summary>
    public const string TimeoutMs = "x-serving-timeout-ms";
    public const string PrefillWorker = "x-serving-prefill-worker";
    public const string DecodeWorker = "x-serving-decode-worker";

    /// <summary>KV payload bytes that the decode worker received for this request.</summary>
    public const string KvBytes = "x-serving-kv-bytes";

    /// <summary>Prompt tokens that the decode worker computed itself: 1 after a hand-off.</summary>
    public const string DecodePromptTokens = "x-serving-decode-prompt-tokens";
}
