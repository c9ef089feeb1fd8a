using System.Text.Json;
using Serving.Gateway.Generation;

namespace Serving.Gateway.Completions;

/// <summary>What all parts of one <c>text_completion</c> begin with.</summary>
/// <param name="choicesOfPrompt">Answers to each prompt.</param>
internal sealed class CompletionJson(AnswerStamp stamp, int choicesOfPrompt)
{
    private readonly string _id = $"cmpl-{Guid.NewGuid():N}";

    /// <summary>The choices of a prompt.</summary>
    public Range ChoicesOf(int prompt) => (prompt * choicesOfPrompt)..((prompt + 1) * choicesOfPrompt);

    public void WriteHead(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, _id);
        json.WriteString("object"u8, "text_completion"u8);
        json.WriteNumber("created"u8, stamp.Created);
        json.WriteString("model"u8, stamp.Model);
        json.WriteString("system_fingerprint"u8, stamp.SystemFingerprint);
    }
}
