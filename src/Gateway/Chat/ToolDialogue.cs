using Serving.Gateway.Http;

namespace Serving.Gateway.Chat;

/// <summary>
/// Holds a conversation to OpenAI's rule: after a message with calls come results for all of them, and results come nowhere else. Templates render what
/// breaks it to prompts that no model has seen.
/// </summary>
internal sealed class ToolDialogue
{
    private readonly HashSet<string> _calls = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unanswered = new(StringComparer.Ordinal);
    private string _path = "";

    /// <summary>A message of the assistant calls a function.</summary>
    /// <param name="path">Where the call stands.</param>
    public void Call(RequestFields fields, string path, string id)
    {
        if (!_calls.Add(id))
        {
            fields.Fail($"{path}.id", $"is '{id}', as another call's of the same message.");
        }

        _unanswered.Add(id);
    }

    /// <summary>A message of the role tool.</summary>
    public void Answer(RequestFields fields, string path, string id)
    {
        if (!_calls.Contains(id))
        {
            fields.Fail($"{path}.tool_call_id", $"is '{id}', and no call of the assistant's message before it has this id.");
        }

        _unanswered.Remove(id);
    }

    /// <summary>A message of another role, or the end.</summary>
    /// <param name="path">Where it stands.</param>
    public void Other(RequestFields fields, string path)
    {
        if (_unanswered.Count > 0)
        {
            fields.Fail($"{_path}.tool_calls", $"has calls without a result: after it must come a message of the role tool for {string.Join(", ", _unanswered)}.");
        }

        _calls.Clear();
        _unanswered.Clear();
        _path = path;
    }
}
