using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Tokens;

/// <summary>Reads the body of <c>POST /detokenize</c>.</summary>
internal static class DetokenizeReader
{
    /// <summary>A token's text may be a hundred times as long as its number: what is sent does not bound what is answered.</summary>
    private const int TokensMax = 131_072;

    /// <summary>The request without its model. It means nothing where <see cref="RequestFields.Error"/> is set.</summary>
    public static DetokenizeRequest Read(RequestFields fields)
    {
        var request = new DetokenizeRequest();
        if (!fields.TryGet("tokens", out var tokens))
        {
            fields.Fail("tokens", "is missing: send an array of token ids.");
        }
        else if (tokens.ValueKind != JsonValueKind.Array)
        {
            fields.Fail("tokens", $"must be an array of token ids, not {RequestFields.Kind(tokens)}.");
        }
        else if (tokens.GetArrayLength() > TokensMax)
        {
            fields.Fail("tokens", $"has {tokens.GetArrayLength()} tokens; at most {TokensMax} are allowed.");
        }
        else
        {
            ReadTokens(fields, tokens, request);
        }

        return request;
    }

    private static void ReadTokens(RequestFields fields, JsonElement tokens, DetokenizeRequest request)
    {
        var index = 0;
        foreach (var token in tokens.EnumerateArray())
        {
            if (fields.Integer($"tokens[{index++}]", token, 0, int.MaxValue) is not { } id)
            {
                return;
            }

            request.Ids.Add((int)id);
        }
    }
}
