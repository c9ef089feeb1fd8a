using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serving.Contracts.Internal;
using Serving.Text.Tokenization;
using Serving.Worker.Completions;
using Serving.Worker.Models;

namespace Serving.Worker.Tokens;

/// <summary><c>POST /internal/v1/tokenize</c> and <c>/internal/v1/detokenize</c>: a model's tokenizer and chat template, asked alone.</summary>
internal static class TokensApi
{
    public static void MapTokens(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(InternalApi.TokenizeRoute, TokenizeAsync);
        routes.MapPost(InternalApi.DetokenizeRoute, DetokenizeAsync);
    }

    private static async Task TokenizeAsync(HttpContext context, IModelSet models)
    {
        (TokenizeRequest? request, RequestError? error) = await InternalMessages.ReadAsync(context, TokenizeRequest.Parser);
        TokenizeResponse response = new();
        if (request is not null)
        {
            (ModelRuntime? model, error) = models.Find(request.Model);
            error ??= Tokenize(request, model!, response);
        }

        await (error is null ? InternalMessages.WriteAsync(context, response) : InternalMessages.WriteErrorAsync(context, error));
    }

    private static async Task DetokenizeAsync(HttpContext context, IModelSet models)
    {
        (DetokenizeRequest? request, RequestError? error) = await InternalMessages.ReadAsync(context, DetokenizeRequest.Parser);
        DetokenizeResponse response = new();
        if (request is not null)
        {
            (ModelRuntime? model, error) = models.Find(request.Model);
            error ??= Detokenize(request, model!.Tokenizer, response);
        }

        await (error is null ? InternalMessages.WriteAsync(context, response) : InternalMessages.WriteErrorAsync(context, error));
    }

    /// <summary>Fills the response, or says what is wrong.</summary>
    private static RequestError? Tokenize(TokenizeRequest request, ModelRuntime model, TokenizeResponse response)
    {
        int[] tokens;
        if (request.PromptCase == TokenizeRequest.PromptOneofCase.Chat)
        {
            (EncodedPrompt prompt, RequestError? error) = model.Prompts.Encode(request.Chat, request.AddSpecialTokens);
            if (error is not null)
            {
                return error;
            }

            tokens = prompt.Tokens;
        }
        else
        {
            tokens = model.Prompts.Encode(request.Text, !request.HasAddSpecialTokens || request.AddSpecialTokens);
        }

        response.Ids.AddRange(tokens);
        if (request.WithTexts)
        {
            response.Texts.AddRange(tokens.Select(token => Encoding.UTF8.GetString(model.Tokenizer.TokenBytes(token))));
        }

        return null;
    }

    private static RequestError? Detokenize(DetokenizeRequest request, ITokenizer tokenizer, DetokenizeResponse response)
    {
        int[] tokens = [.. request.Ids];
        if (RequestErrors.UnknownToken("tokens", tokens, tokenizer) is { } error)
        {
            return error;
        }

        response.Text = tokenizer.Decode(tokens, skipSpecial: false);
        return null;
    }
}
