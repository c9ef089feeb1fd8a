namespace Serving.Gateway.Embeddings;

/// <summary>What turns texts into vectors: OpenAI's <c>POST /v1/embeddings</c>, and what vLLM makes of vectors, <c>POST /v1/rerank</c> and <c>POST /v1/score</c>, at each of the URLs that it has for them.</summary>
internal static class EmbeddingsApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/embeddings", static (HttpContext context, EmbeddingPipeline pipeline) => pipeline.AnswerAsync(context, EmbeddingsReader.Read));
        foreach (var route in new[] { "/v1/rerank", "/v2/rerank", "/rerank" })
        {
            routes.MapPost(route, static (HttpContext context, EmbeddingPipeline pipeline) => pipeline.AnswerAsync(context, RerankReader.Read));
        }

        foreach (var route in new[] { "/v1/score", "/score" })
        {
            routes.MapPost(route, static (HttpContext context, EmbeddingPipeline pipeline) => pipeline.AnswerAsync(context, ScoreReader.Read));
        }
    }
}
