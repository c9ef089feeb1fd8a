using System.Buffers;
using System.Net.Mime;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Gateway.Chat;
using Serving.Gateway.Configuration;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;
using Serving.Gateway.Models;
using Serving.Gateway.Placement;
using Serving.Policies.Placement;

namespace Serving.Gateway.Tokens;

/// <summary>
/// <c>POST /tokenize</c> and <c>POST /detokenize</c>, with vLLM's bodies. Tokenizers and chat templates are the workers': any decode worker of the
/// model is asked.
/// </summary>
internal sealed class TokensApi(IOptions<GatewayOptions> options, ModelDirectory models, PhasePlacer placer, WorkerClient workers)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/tokenize", static (HttpContext context, TokensApi api) => api.TokenizeAsync(context));
        routes.MapPost("/detokenize", static (HttpContext context, TokensApi api) => api.DetokenizeAsync(context));
    }

    private async Task TokenizeAsync(HttpContext context)
    {
        var (request, model, error) = await ReadAsync(context, fields => ValueTask.FromResult(TokenizeReader.Read(fields)));
        if (error is null)
        {
            request!.Model = model!.Name;
            (var answer, error) = await AskAsync(InternalApi.TokenizeRoute, model, request, TokenizeResponse.Parser, context.RequestAborted);
            if (answer is not null)
            {
                await WriteAsync(context, json => Write(json, answer, model, request.WithTexts));
                return;
            }
        }

        await error!.WriteAsync(context);
    }

    /// <summary>Answers with how many tokens messages are.</summary>
    /// <param name="promptParam">What they are called in the request.</param>
    public async Task CountAsync(HttpContext context, Func<RequestFields, ValueTask<TokenizeRequest>> read, string promptParam, Action<Utf8JsonWriter, int> write)
    {
        var (request, model, error) = await ReadAsync(context, read);
        if (error is null)
        {
            request!.Model = model!.Name;
            (var answer, error) = await AskAsync(InternalApi.TokenizeRoute, model, request, TokenizeResponse.Parser, context.RequestAborted);
            if (answer is not null)
            {
                await WriteAsync(context, json => write(json, answer.Ids.Count));
                return;
            }

            error = error!.Error.Param == "messages" ? error with { Error = error.Error with { Param = promptParam } } : error;
        }

        await error.WriteAsync(context);
    }

    private async Task DetokenizeAsync(HttpContext context)
    {
        var (request, model, error) = await ReadAsync(context, fields => ValueTask.FromResult(DetokenizeReader.Read(fields)));
        if (error is null)
        {
            request!.Model = model!.Name;
            (var answer, error) = await AskAsync(InternalApi.DetokenizeRoute, model, request, DetokenizeResponse.Parser, context.RequestAborted);
            if (answer is not null)
            {
                await WriteAsync(context, json => json.WriteString("prompt"u8, answer.Text));
                return;
            }
        }

        await error!.WriteAsync(context);
    }

    /// <summary>The body's request and the model that it means, or what is wrong with it.</summary>
    private async Task<(TRequest? Request, ServedModel? Model, ApiError? Error)> ReadAsync<TRequest>(HttpContext context, Func<RequestFields, ValueTask<TRequest>> read)
        where TRequest : class
    {
        string? name = null;
        var (request, error) = await JsonBody.ReadAsync(context, options.Value.BodyBytesMax, async fields =>
        {
            name = ModelReader.ReadOptional(fields);
            return await read(fields);
        });
        if (error is not null)
        {
            return (null, null, error);
        }

        (var model, error) = name is null ? models.ResolveOnlyGenerative() : models.ResolveGenerative(name);
        return (request, model, error);
    }

    /// <summary>A worker's answer; where one fails, that of another.</summary>
    private async Task<(TAnswer? Answer, ApiError? Error)> AskAsync<TAnswer>(
        string route, ServedModel model, IMessage request, MessageParser<TAnswer> parser, CancellationToken cancellationToken)
        where TAnswer : class, IMessage<TAnswer>
    {
        var wanted = new PlacementRequest(model.Name, PromptTokensEstimate: 0);
        if (await placer.PlaceAsync(wanted, cancellationToken) is not { } placement)
        {
            return (null, ApiError.Unavailable($"No worker serves '{model.Name}' at the moment. Try again."));
        }

        var leg = await workers.AskAsync(route, request, parser, placement.Decode, cancellationToken);
        if (leg.WorkerBlamed is { } blamed && placer.Place(wanted with { ExcludedWorkers = [blamed] }) is { } other)
        {
            leg = await workers.AskAsync(route, request, parser, other.Decode, cancellationToken);
        }

        return (leg.Answer, leg.Error);
    }

    private static void Write(Utf8JsonWriter json, TokenizeResponse answer, ServedModel model, bool withTexts)
    {
        json.WriteNumber("count"u8, answer.Ids.Count);
        json.WriteNumber("max_model_len"u8, model.ContextLength);
        json.WriteStartArray("tokens"u8);
        foreach (var token in answer.Ids)
        {
            json.WriteNumberValue(token);
        }

        json.WriteEndArray();
        if (!withTexts)
        {
            json.WriteNull("token_strs"u8);
            return;
        }

        json.WriteStartArray("token_strs"u8);
        foreach (var text in answer.Texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        context.Response.ContentType = MediaTypeNames.Application.Json;
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }
}
