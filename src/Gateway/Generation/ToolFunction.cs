namespace Serving.Gateway.Generation;

/// <summary>A function that answers may call.</summary>
/// <param name="Schema">Of its arguments; null: it has none.</param>
/// <param name="IsStrict">Whether they are held to the schema wherever it is called.</param>
/// <param name="Path">Where it stands in the request.</param>
/// <param name="SchemaField">What the API calls the schema.</param>
internal sealed record ToolFunction(string Name, string? Schema, bool IsStrict, string Path, string SchemaField);
