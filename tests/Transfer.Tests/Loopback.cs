using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Serving.Transfer.Tests;

/// <summary>A receiver and a sender on loopback, and what they logged. Its end asserts that nothing is left over.</summary>
internal sealed class Loopback : IAsyncDisposable
{
    public static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly ListLogger<KvReceiver> _receiverLog = new();

    public Loopback(Action<KvTransferOptions>? configure = null, TimeProvider? time = null, byte[]? senderKey = null, int port = 0)
    {
        Options = new KvTransferOptions();
        configure?.Invoke(Options);
        time ??= TimeProvider.System;
        Receiver = new KvReceiver(Options, Key, time, new KvTransferMetrics(new Meters()), _receiverLog);
        Receiver.Start("127.0.0.1", port);
        Endpoint = new KvEndpoint("127.0.0.1", Receiver.Port);
        SenderMetrics = new KvTransferMetrics(new Meters());
        Sender = new KvSender(Options, senderKey ?? Key, time, SenderMetrics, new ListLogger<KvSender>());
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public KvTransferOptions Options { get; }

    public KvReceiver Receiver { get; }

    public KvSender Sender { get; }

    public KvTransferMetrics SenderMetrics { get; }

    public KvEndpoint Endpoint { get; }

    public IReadOnlyCollection<(LogLevel Level, string Text)> Log => _receiverLog.Lines;

    /// <summary>Waits for what another thread is about to do; fails loudly instead of hanging.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (int i = 0; i < 1000; i++)
        {
            if (condition())
            {
                return;
            }

            await Task.Delay(10, Stop);
        }

        Assert.Fail($"Waited 10 s in vain: {what}.");
    }

    public static Task<TransferResult> EndOf(KvLease lease) => lease.Completion.WaitAsync(TimeSpan.FromSeconds(20), Stop);

    public Task<TransferResult> SendAsync(KvLease lease, IKvSource source, CancellationToken? cancel = null) =>
        Sender.SendAsync(Endpoint, lease.LeaseId, lease.Shape, source, cancel ?? Stop).WaitAsync(TimeSpan.FromSeconds(20), Stop);

    public async ValueTask DisposeAsync()
    {
        await UntilAsync(() => Receiver.OpenLeases == 0, $"{Receiver.OpenLeases} leases are left");
        Sender.Dispose();
        await UntilAsync(() => Sender.OpenConnections == 0, $"{Sender.OpenConnections} sender connections are left");
        await UntilAsync(() => Receiver.OpenConnections == 0, $"{Receiver.OpenConnections} receiver connections are left");
        await Receiver.DisposeAsync();
    }

    private sealed class ListLogger<T> : ILogger<T>
    {
        private readonly ConcurrentQueue<(LogLevel, string)> _lines = [];

        public IReadOnlyCollection<(LogLevel Level, string Text)> Lines => _lines;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue((logLevel, formatter(state, exception)));
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options.Name);

        public void Dispose()
        {
        }
    }
}
