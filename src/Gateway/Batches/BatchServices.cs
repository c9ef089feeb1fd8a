using Serving.Gateway.Chat;
using Serving.Gateway.Chat.Stored;
using Serving.Gateway.Completions;
using Serving.Gateway.Embeddings;
using Serving.Gateway.Generation;
using Serving.Gateway.Responses;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Gateway.Batches;

/// <summary>Adds batches to the gateway's services.</summary>
internal static class BatchServices
{
    public static void AddBatches(this IServiceCollection services)
    {
        services.AddValidatedOptions<BatchOptions, BatchOptionsValidator>(BatchOptions.Section);
        services.AddSingleton<IBatchEndpoint>(ChatCompletions);
        services.AddSingleton<IBatchEndpoint>(Completions);
        services.AddSingleton<IBatchEndpoint, EmbeddingBatchEndpoint>();
        services.AddSingleton<IBatchEndpoint>(Responses);
        services.AddSingleton<BatchStore>();
        services.AddSingleton<BatchParts>();
        services.AddSingleton<BatchValidation>();
        services.AddSingleton<BatchLines>();
        services.AddSingleton<BatchEnd>();
        services.AddSingleton<BatchRun>();
        services.AddSingleton<BatchRunner>();
        services.AddHostedService(provider => provider.GetRequiredService<BatchRunner>());
        services.AddSingleton<BatchesApi>();
    }

    private static GenerationEndpoint ChatCompletions(IServiceProvider provider)
    {
        var chats = provider.GetRequiredService<StoredChats>();
        return new GenerationEndpoint(
            "/v1/chat/completions",
            CallOrigin.ChatOperation,
            (fields, tenant, _) => ValueTask.FromResult(ChatRequestReader.Read(fields, chats, tenant)),
            provider.GetRequiredService<GenerationPipeline>());
    }

    private static GenerationEndpoint Completions(IServiceProvider provider) => new(
        "/v1/completions",
        CallOrigin.TextOperation,
        (fields, _, _) => ValueTask.FromResult(CompletionRequestReader.Read(fields)),
        provider.GetRequiredService<GenerationPipeline>());

    private static GenerationEndpoint Responses(IServiceProvider provider) => new(
        "/v1/responses", CallOrigin.ChatOperation, provider.GetRequiredService<ResponsesApi>().ReadAsync, provider.GetRequiredService<GenerationPipeline>());
}
