using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Serving.Contracts.Internal;
using Serving.Gateway.Telemetry;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class MetricsTests
{
    [Fact]
    public async Task A_request_is_measured_under_the_conventions_names_and_a_failed_one_has_no_token_times()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        var meters = gateway.Services.GetRequiredService<IMeterFactory>();
        var measured = new ConcurrentQueue<(string Name, string Tags)>();
        var ended = new SemaphoreSlim(0);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == GatewayMetrics.MeterName && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            measured.Enqueue((instrument.Name, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
            ended.Release();
        });
        listener.Start();
        const string tags = "gen_ai.operation.name=chat gen_ai.provider.name=serving gen_ai.request.model=smollm2-135m-instruct";

        using var answered = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"));
        await WaitAsync(ended, 3);
        Assert.Equal(
            [(GatewayMetrics.RequestDuration, tags), (GatewayMetrics.TimeToFirstToken, tags), (GatewayMetrics.TimePerOutputToken, tags)],
            measured);

        measured.Clear();
        worker.Script = exchange => exchange.RefuseAsync(new RequestError { Fault = Fault.Client, Status = 400, Message = "too long" });
        using var refused = await gateway.ChatAsync(Bodies.Chat());
        await WaitAsync(ended, 1);
        Assert.Equal([(GatewayMetrics.RequestDuration, $"{tags} error.type=400")], measured);

        measured.Clear();
        using var unknown = await gateway.ChatAsync(Bodies.Chat(model: "whatever-a-client-types"));
        await WaitAsync(ended, 1);
        Assert.Equal([(GatewayMetrics.RequestDuration, "gen_ai.operation.name=chat gen_ai.provider.name=serving error.type=404")], measured);
    }

    private static async Task WaitAsync(SemaphoreSlim ended, int measurements)
    {
        for (var i = 0; i < measurements; i++)
        {
            await ended.WaitAsync(TestTime.Limit());
        }
    }
}
