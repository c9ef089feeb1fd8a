using System.Text;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Generation;

namespace Serving.Gateway.Completions;

/// <summary>A choice as far as it has come: what of it is to be written next.</summary>
/// <param name="logprobs">Null: the client wants none.</param>
internal sealed class CompletionChoice(LegacyLogprobs? logprobs)
{
    private readonly StringBuilder _text = new();

    public CompletionFinished? Finished { get; set; }

    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => _text.Length == 0 && logprobs is not { Count: > 0 };

    /// <summary>Those of all prompts of a request.</summary>
    public static CompletionChoice[] Of(GenerationProfile profile) =>
    [
        .. Enumerable.Range(0, profile.Prompts.Count * profile.Choices)
            .Select(_ => new CompletionChoice(profile.Sampling.HasLogprobs ? new LegacyLogprobs() : null)),
    ];

    /// <summary>Gives the prompt back before the answer.</summary>
    public void Add(PromptEcho echo)
    {
        _text.Append(echo.Text);
        logprobs?.AddPrompt(echo.Logprobs);
    }

    public void Add(TokenChunk tokens)
    {
        _text.Append(tokens.Text);
        logprobs?.Add(tokens.Logprobs);
    }

    /// <summary>Writes the choice and forgets what it has written.</summary>
    public void Write(Utf8JsonWriter json, int index)
    {
        json.WriteStartObject();
        json.WriteNumber("index"u8, index);
        json.WriteString("text"u8, _text.ToString());
        if (logprobs is null)
        {
            json.WriteNull("logprobs"u8);
        }
        else
        {
            logprobs.Write(json);
        }

        if (Finished is null)
        {
            json.WriteNull("finish_reason"u8);
        }
        else
        {
            json.WriteEnd(Finished);
        }

        json.WriteEndObject();
        _text.Clear();
    }
}
