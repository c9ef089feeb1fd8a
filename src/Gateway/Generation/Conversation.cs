using System.Buffers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>
/// Writes a conversation as chat templates read it, from APIs whose messages are made otherwise than a chat's: what an assistant says, thinks and calls one after the
/// other becomes one message. Results of calls must come right after the calls, one for each: templates render what breaks it to prompts that no model has seen.
/// </summary>
/// <param name="resultName">What the API calls the result of a call, for messages.</param>
internal sealed class Conversation(RequestFields fields, string resultName) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly HashSet<string> _unanswered = new(StringComparer.Ordinal);
    private readonly HashSet<string> _answered = new(StringComparer.Ordinal);
    private readonly List<Call> _calls = [];
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _reasoning = new();
    private Utf8JsonWriter? _json;
    private bool _isAssistants;
    private string _callsPath = "";

    /// <summary>Whether the last that was said is the assistant's.</summary>
    public bool EndsWithAssistant => _isAssistants;

    private Utf8JsonWriter Json => _json ??= Begin();

    /// <param name="path">Where it stands in the request.</param>
    public void System(string path, string text) => Write(path, "system", text);

    public void User(string path, string text) => Write(path, "user", text);

    public void AssistantText(string path, string text)
    {
        BeginAssistant(path);
        _text.Append(_text.Length > 0 ? "\n" : "").Append(text);
    }

    public void AssistantReasoning(string path, string text)
    {
        BeginAssistant(path);
        _reasoning.Append(_reasoning.Length > 0 ? "\n" : "").Append(text);
    }

    /// <param name="arguments">A JSON text.</param>
    public void AssistantCall(string path, string id, string name, string arguments)
    {
        BeginAssistant(path);
        if (!_unanswered.Add(id))
        {
            fields.Fail(path, $"has the id '{id}' of another call.");
        }

        _callsPath = path;
        _calls.Add(new Call(id, name, arguments));
    }

    public void Result(string path, string id, string text)
    {
        EndAssistant();
        if (!_unanswered.Remove(id))
        {
            fields.Fail(path, _answered.Contains(id) ? $"is a second {resultName} of '{id}'." : $"names '{id}', and no call right before it has this id.");
        }

        _answered.Add(id);
        Json.WriteStartObject();
        Json.WriteString("role"u8, "tool"u8);
        Json.WriteString("content"u8, text);
        Json.WriteString("tool_call_id"u8, id);
        Json.WriteEndObject();
    }

    /// <summary>Ends the conversation.</summary>
    public ByteString ToJson()
    {
        EndAssistant();
        ExpectNoResult();
        Json.WriteEndArray();
        Json.Flush();
        return ByteString.CopyFrom(_output.WrittenSpan);
    }

    public void Dispose() => _json?.Dispose();

    private Utf8JsonWriter Begin()
    {
        var json = new Utf8JsonWriter(_output, ApiJson.WriterOptions);
        json.WriteStartArray();
        return json;
    }

    private void Write(string path, string role, string text)
    {
        EndAssistant();
        ExpectNoResult();
        Json.WriteStartObject();
        Json.WriteString("role"u8, role);
        Json.WriteString("content"u8, text);
        Json.WriteEndObject();
    }

    private void BeginAssistant(string path)
    {
        if (!_isAssistants)
        {
            ExpectNoResult();
        }

        _isAssistants = true;
    }

    private void EndAssistant()
    {
        if (!_isAssistants)
        {
            return;
        }

        _isAssistants = false;
        Json.WriteStartObject();
        Json.WriteString("role"u8, "assistant"u8);
        if (_text.Length == 0 && _calls.Count > 0)
        {
            Json.WriteNull("content"u8);
        }
        else
        {
            Json.WriteString("content"u8, _text.ToString());
        }

        if (_reasoning.Length > 0)
        {
            Json.WriteString("reasoning_content"u8, _reasoning.ToString());
        }

        WriteCalls();
        Json.WriteEndObject();
        _text.Clear();
        _reasoning.Clear();
        _calls.Clear();
    }

    private void WriteCalls()
    {
        if (_calls.Count == 0)
        {
            return;
        }

        Json.WriteStartArray("tool_calls"u8);
        foreach (var call in _calls)
        {
            Json.WriteStartObject();
            Json.WriteString("id"u8, call.Id);
            Json.WriteString("type"u8, "function"u8);
            Json.WriteStartObject("function"u8);
            Json.WriteString("name"u8, call.Name);
            Json.WriteString("arguments"u8, call.Arguments);
            Json.WriteEndObject();
            Json.WriteEndObject();
        }

        Json.WriteEndArray();
    }

    private void ExpectNoResult()
    {
        if (_unanswered.Count > 0)
        {
            fields.Fail(_callsPath, $"has a call without a {resultName}: right after it must come one for {string.Join(", ", _unanswered)}.");
        }
    }

    private sealed record Call(string Id, string Name, string Arguments);
}
