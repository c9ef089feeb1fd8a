namespace Serving.Contracts.OpenAI;

/// <summary>One entry of <c>GET /v1/models</c>.</summary>
/// <param name="Id">The name that requests use.</param>
/// <param name="Created">Unix seconds.</param>
/// <param name="OwnedBy">The organisation that made the model.</param>
public sealed record OpenAiModel(string Id, long Created, string OwnedBy)
{
    public string Object { get; } = "model";
}

/// <summary>The answer of <c>GET /v1/models</c>.</summary>
public sealed record OpenAiModelList(IReadOnlyList<OpenAiModel> Data)
{
    public string Object { get; } = "list";
}
