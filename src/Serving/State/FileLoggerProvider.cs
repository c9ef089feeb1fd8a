using System.Globalization;
using Microsoft.Extensions.Logging;
using Serving.Cli.Supervision;

namespace Serving.Cli.State;

/// <summary>Writes the log of a part inside this process to a file, because the console is the user's.</summary>
internal sealed class FileLoggerProvider(string path) : ILoggerProvider
{
    private readonly LogFile _file = new(path);

    public ILogger CreateLogger(string categoryName) => new FileLogger(_file, categoryName);

    public void Dispose() => _file.Dispose();

    private sealed class FileLogger(LogFile file, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var time = DateTime.UtcNow.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
            file.WriteLine($"{time} {logLevel}: {category} {formatter(state, exception)} {exception}");
        }
    }
}
