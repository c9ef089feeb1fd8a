using System.Text;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;

namespace Serving.Gateway.Chat;

/// <summary>Log probabilities as <c>chat.completion</c> and its chunks have them.</summary>
internal static class ChatLogprobs
{
    /// <summary>Writes the member <c>logprobs</c>.</summary>
    /// <param name="tokens">Null: none were asked for.</param>
    public static void WriteLogprobs(this Utf8JsonWriter json, IReadOnlyList<TokenLogprobs>? tokens)
    {
        if (tokens is null)
        {
            json.WriteNull("logprobs"u8);
            return;
        }

        json.WriteStartObject("logprobs"u8);
        json.WriteTokens("content", tokens);
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
    }

    /// <summary>Writes a member that is an array of tokens.</summary>
    public static void WriteTokens(this Utf8JsonWriter json, string name, IReadOnlyList<TokenLogprobs> tokens)
    {
        json.WriteStartArray(name);
        foreach (var token in tokens)
        {
            json.WriteStartObject();
            WriteToken(json, token.Token);
            json.WriteStartArray("top_logprobs"u8);
            foreach (var likely in token.Top)
            {
                json.WriteStartObject();
                WriteToken(json, likely);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteToken(Utf8JsonWriter json, TokenProbability token)
    {
        // A part of a character becomes U+FFFD here; "bytes" has it as it is.
        json.WriteString("token"u8, Encoding.UTF8.GetString(token.Text.Span));
        json.WriteNumber("logprob"u8, AnswerJson.Logprob(token));
        json.WriteStartArray("bytes"u8);
        foreach (var part in token.Text.Span)
        {
            json.WriteNumberValue(part);
        }

        json.WriteEndArray();
    }
}
