using System.Text;
using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Responses;

/// <summary>What a response repeats of its request: members of JSON, each as it was sent or as it holds where it was not.</summary>
internal sealed class ResponseSettings
{
    private readonly List<(string Name, byte[] Json)> _members = [];

    /// <summary>Adds a member with the field's value, or with the default where the field is not there.</summary>
    /// <param name="defaultJson">JSON.</param>
    public void Add(RequestFields fields, string name, string defaultJson = "null")
    {
        if (!fields.TryGet(name, out var value))
        {
            Add(name, defaultJson);
        }
        else if (ApiJson.Compact(value) is { } json)
        {
            _members.Add((name, json));
        }
        else
        {
            fields.Fail(name, "has half of a surrogate pair: its text is no valid Unicode.");
        }
    }

    public void Add(string name, string json) => _members.Add((name, Encoding.UTF8.GetBytes(json)));

    public void Write(Utf8JsonWriter json)
    {
        foreach (var (name, value) in _members)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value, skipInputValidation: true);
        }
    }
}
