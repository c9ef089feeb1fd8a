using Serving.Contracts.Internal;
using Serving.Engine.Scheduling;
using Serving.Grammars;
using Serving.Text.Tokenization;

namespace Serving.Worker.Completions;

/// <summary>What a worker says when it cannot serve a request: whose fault it is, and the status that the client sees.</summary>
internal static class RequestErrors
{
    private const int RetryAfterSeconds = 1;

    /// <summary>What a prompt, and one of messages, is called where nobody has said otherwise.</summary>
    private const string Prompt = "prompt";
    private const string Messages = "messages";

    /// <summary>The error with the prompt's name in the client's request.</summary>
    public static RequestError Named(RequestError error, CompletionRequest request) =>
        (error.Param is Prompt or Messages) && request.PromptParam.Length > 0 ? new RequestError(error) { Param = request.PromptParam } : error;

    public static RequestError UnknownModel(string model, IEnumerable<string> served) => new()
    {
        Fault = Fault.Gateway,
        Status = 503,
        Message = $"The model '{model}' is not loaded on this worker; it serves {string.Join(", ", served)}.",
        Param = "model",
        Code = "model_not_loaded",
        RetryAfterS = RetryAfterSeconds,
    };

    public static RequestError Unreadable(string reason) => new()
    {
        Fault = Fault.Gateway,
        Status = 400,
        Message = $"The internal request cannot be read: {reason}",
        Code = "invalid_internal_request",
    };

    public static RequestError NotReady() => new()
    {
        Fault = Fault.Worker,
        Status = 503,
        Message = "The worker is loading its models, or stopping.",
        Code = "worker_not_ready",
        RetryAfterS = RetryAfterSeconds,
    };

    public static RequestError Overloaded(string message) => new()
    {
        Fault = Fault.Worker,
        Status = 503,
        Message = message,
        Code = "overloaded",
        RetryAfterS = RetryAfterSeconds,
    };

    public static RequestError Failed(string reason) => new()
    {
        Fault = Fault.Worker,
        Status = 500,
        Message = $"The worker could not finish the request: {reason}",
        Code = "worker_failed",
    };

    public static RequestError DeadlineExceeded(long timeoutMs, int tokens) => new()
    {
        Fault = Fault.Client,
        Status = 504,
        Message = $"The request's {timeoutMs} ms ({ServingHeaders.TimeoutMs}) have passed; its answer had {tokens} tokens.",
        Code = "deadline_exceeded",
    };

    /// <summary>A value that only the worker can see is wrong.</summary>
    public static RequestError Invalid(string param, string requirement) => new()
    {
        Fault = Fault.Client,
        Status = 400,
        Message = $"'{param}' {requirement}.",
        Param = param,
        Code = "invalid_value",
    };

    /// <summary>The first of some ids that names no token; null: all of them name one.</summary>
    /// <param name="param">What they are called in the client's request.</param>
    public static RequestError? UnknownToken(string param, int[] tokens, ITokenizer tokenizer)
    {
        int stranger = Array.FindIndex(tokens, token => tokenizer.Kind(token) == TokenKind.Unused);
        return stranger < 0
            ? null
            : Invalid($"{param}[{stranger}]", $"is {tokens[stranger]}, which names no token: this model's are from 0 to {tokenizer.VocabularySize - 1}");
    }

    /// <summary>The constraint cannot be held by this model; what needs no vocabulary to be seen, the gateway has said before.</summary>
    public static RequestError Unholdable(Constraint constraint, GrammarException exception) => new()
    {
        Fault = Fault.Client,
        Status = 400,
        Message = $"'{constraint.Param}{exception.Path}' {exception.Reason}",
        Param = constraint.Param + exception.Path,
        Code = "invalid_value",
    };

    public static RequestError From(Refusal refusal) => refusal.Reason switch
    {
        RefusalReason.ContextExceeded => ClientError(refusal, "context_length_exceeded"),
        RefusalReason.PoolTooSmall => ClientError(refusal, "context_length_exceeded"),
        RefusalReason.UnknownToken => ClientError(refusal, "invalid_prompt"),
        RefusalReason.TenantQueueFull => new RequestError
        {
            Fault = Fault.Client,
            Status = 429,
            Message = refusal.Message,
            Code = "rate_limit_exceeded",
            RetryAfterS = RetryAfterSeconds,
            RequestsMax = refusal.SequencesMax,
        },
        _ => new RequestError
        {
            Fault = Fault.Worker,
            Status = 503,
            Message = refusal.Message,
            Code = refusal.Reason == RefusalReason.QueueFull ? "overloaded" : "worker_not_ready",
            RetryAfterS = RetryAfterSeconds,
        },
    };

    private static RequestError ClientError(Refusal refusal, string code) =>
        new() { Fault = Fault.Client, Status = 400, Message = refusal.Message, Param = Prompt, Code = code };
}
