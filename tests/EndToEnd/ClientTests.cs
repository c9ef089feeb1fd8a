using System.ClientModel;
using System.Diagnostics;
using System.Text.Json;
using OpenAI;
using OpenAI.Embeddings;

namespace Serving.EndToEnd;

/// <summary>Clients that nobody here wrote, unmodified: only the base URL is ours.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class ClientTests(SharedPlatform shared)
{
    private readonly Platform _platform = shared.Platform;

    [Theory]
    [InlineData("all-minilm-l6-v2", 384)]
    [InlineData(Chat.Model, 576)]
    public async Task The_OpenAI_NET_client_embeds(string model, int width)
    {
        EmbeddingClient client = new(
            model, new ApiKeyCredential("unused-on-loopback"), new OpenAIClientOptions { Endpoint = new Uri(_platform.BaseAddress, "/v1") });

        OpenAIEmbeddingCollection embeddings = await client.GenerateEmbeddingsAsync(["How do I list a directory?", "ls shows what a folder contains.", "Bananas are yellow."]);
        OpenAIEmbedding cut = await client.GenerateEmbeddingAsync("Bananas are yellow.", new EmbeddingGenerationOptions { Dimensions = 32 });

        float[][] vectors = [.. embeddings.Select(embedding => embedding.ToFloats().ToArray())];
        Assert.All(vectors, vector => Assert.Equal((width, 1.0), (vector.Length, Math.Round(Dot(vector, vector), 4))));
        Assert.True(Dot(vectors[0], vectors[1]) > Dot(vectors[0], vectors[2]));
        Assert.Equal(32, cut.ToFloats().Length);
        Assert.Equal(embeddings.Usage.TotalTokenCount, embeddings.Usage.InputTokenCount);

        static double Dot(float[] left, float[] right) => left.Zip(right, (a, b) => (double)a * b).Sum();
    }

    [Fact]
    public async Task The_openai_npm_client_embeds()
    {
        JsonElement seen = await Node.RunAsync(_platform, "embeddings.mjs");
        Assert.Equal(0, seen.GetProperty("difference").GetDouble(), 1e-6);
        Assert.Equal([384, 384], seen.GetProperty("widths").EnumerateArray().Select(width => width.GetInt32()));
        Assert.Equal("input[1]", seen.GetProperty("refusal").GetProperty("param").GetString());
        Assert.Contains("this model takes 512", seen.GetProperty("refusal").GetProperty("message").GetString());
    }

    [Fact]
    public async Task The_printed_curl_line_works()
    {
        string line = _platform.Output.Split('\n').Single(text => text.TrimStart().StartsWith("curl ", StringComparison.Ordinal)).Trim();
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", line])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        Assert.Contains(Chat.Answer, output);
    }
}
