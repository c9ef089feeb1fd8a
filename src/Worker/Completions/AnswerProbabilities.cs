using Google.Protobuf;
using Google.Protobuf.Collections;
using Serving.Contracts.Internal;
using Serving.Engine.Sampling;
using Serving.Text.Tokenization;

namespace Serving.Worker.Completions;

/// <summary>The engine's log probabilities as events have them.</summary>
internal static class AnswerProbabilities
{
    /// <param name="token">The token's own, then those of the likeliest in its place.</param>
    public static TokenLogprobs Of(ReadOnlySpan<TokenLogprob> token, ITokenizer tokenizer)
    {
        TokenLogprobs logprobs = new() { Token = Of(token[0], tokenizer) };
        Add(logprobs.Top, token[1..], tokenizer);
        return logprobs;
    }

    public static void Add(RepeatedField<TokenProbability> output, ReadOnlySpan<TokenLogprob> tokens, ITokenizer tokenizer)
    {
        foreach (TokenLogprob token in tokens)
        {
            output.Add(Of(token, tokenizer));
        }
    }

    private static TokenProbability Of(TokenLogprob token, ITokenizer tokenizer) =>
        new() { Id = token.TokenId, Text = ByteString.CopyFrom(tokenizer.TokenBytes(token.TokenId)), Logprob = token.Logprob };
}
