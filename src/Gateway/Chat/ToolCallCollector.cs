using System.Text;
using System.Text.Json;
using Google.Protobuf.Collections;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Chat;

/// <summary>Puts the calls of one answer together from their deltas.</summary>
internal sealed class ToolCallCollector
{
    private readonly List<(ToolCallDelta First, StringBuilder Arguments)> _calls = [];

    public bool IsEmpty => _calls.Count == 0;

    public void Add(RepeatedField<ToolCallDelta> deltas)
    {
        for (var i = 0; i < deltas.Count; i++)
        {
            var delta = deltas[i];
            if (delta.Index == _calls.Count)
            {
                _calls.Add((delta, new StringBuilder()));
            }

            _calls[delta.Index].Arguments.Append(delta.Arguments);
        }
    }

    /// <summary>Writes the member <c>tool_calls</c>, if there are any.</summary>
    public void Write(Utf8JsonWriter json)
    {
        if (IsEmpty)
        {
            return;
        }

        json.WriteStartArray("tool_calls"u8);
        foreach (var (first, arguments) in _calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, first.Id);
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, first.Name);
            json.WriteString("arguments"u8, arguments.ToString());
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
