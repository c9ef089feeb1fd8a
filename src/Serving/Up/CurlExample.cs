using System.Text.Json;

namespace Serving.Cli.Up;

/// <summary>A command that asks the platform a question, to be copied from the terminal as it is.</summary>
internal static class CurlExample
{
    public static string For(Uri gateway, ModelFile model, string? apiKeyFile)
    {
        var key = apiKeyFile is null ? "" : $" -H \"Authorization: Bearer $(cat {Quote(apiKeyFile)})\"";
        var name = JsonSerializer.Serialize(model.Name, StringJson.Default.String);
        var (route, body) = model.IsEmbedder
            ? ("/v1/embeddings", $$"""{"model": {{name}}, "input": "What is the capital of France?"}""")
            : ("/v1/chat/completions", $$"""{"model": {{name}}, "temperature": 0, "messages": [{"role": "user", "content": "What is the capital of France?"}]}""");
        return $"curl -s {new Uri(gateway, route)} -H 'Content-Type: application/json'{key} -d {Quote(body)}";
    }

    private static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class StringJson : System.Text.Json.Serialization.JsonSerializerContext;
