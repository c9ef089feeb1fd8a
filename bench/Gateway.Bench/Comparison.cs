using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Bench;

/// <summary>Sends the same requests to the gateway and to what it is compared with, in turns, and prints both.</summary>
internal static class Comparison
{
    public const string Model = "smollm2-135m-instruct";

    private const int BodyBytes = 2048;
    private const int RequestsInTurn = 3000;
    private const int Connections = 64;
    private static readonly TimeSpan _loadTime = TimeSpan.FromSeconds(4);
    private static readonly byte[] _body = Body();

    public static async Task RunAsync(int rounds)
    {
        using ChildProcess stub = await ChildProcess.StartAsync("stub");
        using ChildProcess gateway = await ChildProcess.StartAsync("gateway", stub.Addresses[0]);
        using ChildProcess proxy = await ChildProcess.StartAsync("proxy", stub.Addresses[1]);
        using HttpClient direct = Client(stub.Addresses[1]), served = Client(gateway.Addresses[0]), proxied = Client(proxy.Addresses[0]);
        foreach (HttpClient client in new[] { direct, served, proxied })
        {
            await LatenciesAsync(client); // Code is compiled.
            await ThroughputAsync(client);
        }

        List<double> directMs = [], servedMs = [], refusedMs = [], servedRates = [], proxiedRates = [];
        await RefusalsAsync(served);
        for (int round = 0; round < rounds; round++)
        {
            refusedMs.AddRange(await RefusalsAsync(served));
            directMs.AddRange(await LatenciesAsync(direct));
            servedMs.AddRange(await LatenciesAsync(served));
            proxiedRates.Add(await ThroughputAsync(proxied));
            servedRates.Add(await ThroughputAsync(served));
        }

        Console.WriteLine($"{rounds} rounds; a body of {_body.Length} bytes; client, gateway and stub on {Environment.ProcessorCount} processors");
        Console.WriteLine("one after the other, ms    P50     P99");
        Console.WriteLine($"stub, directly        {At(directMs, 0.5),8:F3}{At(directMs, 0.99),8:F3}");
        Console.WriteLine($"through the gateway   {At(servedMs, 0.5),8:F3}{At(servedMs, 0.99),8:F3}");
        Console.WriteLine($"added                 {At(servedMs, 0.5) - At(directMs, 0.5),8:F3}{At(servedMs, 0.99) - At(directMs, 0.99),8:F3}   (asked: 0.2 and 1)");
        Console.WriteLine($"invalid requests      {At(refusedMs, 0.5),8:F3}{At(refusedMs, 0.99),8:F3}   at most {refusedMs.Max():F3} (asked: 50), {refusedMs.Count / rounds} of every kind");
        Console.WriteLine($"{Connections} at once, requests per second, medians: bare YARP {At(proxiedRates, 0.5):F0}, gateway {At(servedRates, 0.5):F0}: "
            + $"{At(servedRates, 0.5) / At(proxiedRates, 0.5):F2} (asked: 0.8)");
    }

    private static async Task<double[]> LatenciesAsync(HttpClient client)
    {
        double[] milliseconds = new double[RequestsInTurn];
        for (int i = 0; i < milliseconds.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await SendAsync(client);
            milliseconds[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return milliseconds;
    }

    /// <summary>How long each request of the matrix of invalid ones takes to be refused.</summary>
    private static async Task<List<double>> RefusalsAsync(HttpClient client)
    {
        List<double> milliseconds = [];
        foreach (InvalidRequest request in InvalidRequests.All(embedder: Model))
        {
            using HttpRequestMessage message = request.ToMessage();
            long start = Stopwatch.GetTimestamp();
            using HttpResponseMessage response = await client.SendAsync(message);
            byte[] answer = await response.Content.ReadAsByteArrayAsync();
            milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if ((int)response.StatusCode != request.Status)
            {
                throw new InvalidOperationException($"{request}: {response.StatusCode}: {Encoding.UTF8.GetString(answer)}");
            }
        }

        return milliseconds;
    }

    private static async Task<double> ThroughputAsync(HttpClient client)
    {
        long start = Stopwatch.GetTimestamp();
        int[] counts = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            int count = 0;
            while (Stopwatch.GetElapsedTime(start) < _loadTime)
            {
                await SendAsync(client);
                count++;
            }

            return count;
        })));
        return counts.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task SendAsync(HttpClient client)
    {
        using ByteArrayContent content = new(_body);
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        using HttpResponseMessage response = await client.PostAsync("/v1/chat/completions", content);
        byte[] answer = await response.Content.ReadAsByteArrayAsync();
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new InvalidOperationException($"{response.StatusCode}: {Encoding.UTF8.GetString(answer)}");
        }
    }

    private static HttpClient Client(string address) =>
        new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = Connections }) { BaseAddress = new Uri(address) };

    private static byte[] Body()
    {
        byte[] With(string text) => JsonSerializer.SerializeToUtf8Bytes(new { model = Model, temperature = 0, max_tokens = 16, messages = new[] { new { role = "user", content = text } } });
        return With(new string('x', BodyBytes - With("").Length));
    }

    private static double At(IEnumerable<double> values, double quantile)
    {
        double[] sorted = [.. values.Order()];
        return sorted[Math.Min(sorted.Length - 1, (int)(quantile * sorted.Length))];
    }
}
