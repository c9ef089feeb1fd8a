using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;

namespace Serving.Gateway.Completions;

/// <summary>Log probabilities as <c>text_completion</c> has them: four arrays of one element a token.</summary>
internal sealed class LegacyLogprobs
{
    private readonly List<(TokenLogprobs Token, int Offset, bool IsFirst)> _tokens = [];
    private int _characters;

    /// <summary>Tokens that are not written yet.</summary>
    public int Count => _tokens.Count;

    /// <summary>Adds a prompt's tokens, of which the first has nothing before it that could make it likely.</summary>
    public void AddPrompt(IReadOnlyList<TokenLogprobs> tokens)
    {
        foreach (var token in tokens)
        {
            Add(token, isFirst: _tokens.Count == 0);
        }
    }

    public void Add(IEnumerable<TokenLogprobs> tokens)
    {
        foreach (var token in tokens)
        {
            Add(token, isFirst: false);
        }
    }

    /// <summary>Writes the member <c>logprobs</c> and forgets what it has written.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("logprobs"u8);
        json.WriteStartArray("tokens"u8);
        foreach (var (token, _, _) in _tokens)
        {
            json.WriteStringValue(Text(token.Token));
        }

        json.WriteEndArray();
        json.WriteStartArray("token_logprobs"u8);
        foreach (var (token, _, isFirst) in _tokens)
        {
            if (isFirst)
            {
                json.WriteNullValue();
            }
            else
            {
                json.WriteNumberValue(AnswerJson.Logprob(token.Token));
            }
        }

        json.WriteEndArray();
        json.WriteStartArray("top_logprobs"u8);
        foreach (var (token, _, isFirst) in _tokens)
        {
            WriteTop(json, token, isFirst);
        }

        json.WriteEndArray();
        json.WriteStartArray("text_offset"u8);
        foreach (var (_, offset, _) in _tokens)
        {
            json.WriteNumberValue(offset);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        _tokens.Clear();
    }

    private void Add(TokenLogprobs token, bool isFirst)
    {
        var text = token.Token.Text.Span;
        var goesOn = text.Length > 0 && IsContinuation(text[0]) && _characters > 0;
        _tokens.Add((token, goesOn ? _characters - 1 : _characters, isFirst));
        foreach (var part in text)
        {
            _characters += IsContinuation(part) ? 0 : 1;
        }
    }

    /// <summary>The likeliest tokens, and the token itself where it is none of them.</summary>
    private static void WriteTop(Utf8JsonWriter json, TokenLogprobs token, bool isFirst)
    {
        if (isFirst)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var likely in token.Top.Append(token.Token))
        {
            // Two tokens may have the same text; the likelier one has the name.
            if (Text(likely) is var name && names.Add(name))
            {
                json.WriteNumber(name, AnswerJson.Logprob(likely));
            }
        }

        json.WriteEndObject();
    }

    /// <summary>A token's text; what is no text of its own is written as OpenAI writes it, by its bytes.</summary>
    private static string Text(TokenProbability token)
    {
        var text = token.Text.Span;
        if (Utf8.IsValid(text))
        {
            return Encoding.UTF8.GetString(text);
        }

        var bytes = new StringBuilder("bytes:");
        foreach (var part in text)
        {
            bytes.Append("\\x").Append(Convert.ToHexStringLower([part]));
        }

        return bytes.ToString();
    }

    /// <summary>Whether a byte of UTF-8 belongs to the character of the byte before it.</summary>
    private static bool IsContinuation(byte part) => (part & 0xC0) == 0x80;
}
