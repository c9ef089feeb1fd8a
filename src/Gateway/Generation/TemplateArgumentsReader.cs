using System.Text.Json;
using Google.Protobuf;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads <c>chat_template_kwargs</c>: variables of the model's chat template, such as <c>enable_thinking</c>.</summary>
internal static class TemplateArgumentsReader
{
    /// <summary>Variables that the request has fields for.</summary>
    private static readonly string[] _taken = ["messages", "tools", "add_generation_prompt"];

    /// <summary>The object as it was sent; empty: none.</summary>
    public static ByteString Read(RequestFields fields)
    {
        if (fields.Object("chat_template_kwargs") is not { } arguments)
        {
            return ByteString.Empty;
        }

        foreach (var name in _taken)
        {
            if (arguments.TryGetProperty(name, out _))
            {
                fields.Fail($"chat_template_kwargs.{name}", "cannot be set here: the request has a field of its own for it.");
            }
        }

        if (ApiJson.Compact(arguments) is { } json)
        {
            return ByteString.CopyFrom(json);
        }

        fields.Fail("chat_template_kwargs", "has half of a surrogate pair: its text is no valid Unicode.");
        return ByteString.Empty;
    }
}
