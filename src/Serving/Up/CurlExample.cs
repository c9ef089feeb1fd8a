using System.Text.Json;

namespace Serving.Cli.Up;

/// <summary>A command that asks the platform a question, to be copied from the terminal as it is.</summary>
internal static class CurlExample
{
    public static string For(Uri gateway, string model, string? apiKeyFile)
    {
        var key = apiKeyFile is null ? "" : $" -H \"Authorization: Bearer $(cat {Quote(apiKeyFile)})\"";
        var body = $$"""{"model": {{JsonSerializer.Serialize(model, StringJson.Default.String)}}, "temperature": 0, "messages": [{"role": "user", "content": "What is the capital of France?"}]}""";
        return $"curl -s {new Uri(gateway, "/v1/chat/completions")} -H 'Content-Type: application/json'{key} -d {Quote(body)}";
    }

    private static string Quote(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class StringJson : System.Text.Json.Serialization.JsonSerializerContext;
