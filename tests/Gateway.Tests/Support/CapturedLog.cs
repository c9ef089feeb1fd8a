using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Serving.Gateway.Tests.Support;

/// <summary>The lines that a gateway logs.</summary>
internal sealed class CapturedLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(formatter(state, exception));

    /// <summary>The first line that has a text in it, once it is there.</summary>
    public async Task<string> LineAsync(string text)
    {
        while (true)
        {
            if (_lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
            {
                return found;
            }

            await Task.Delay(10, TestTime.Limit());
        }
    }

    public void Dispose()
    {
    }
}
