using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Serving.ServiceDefaults.Hosting;

public static partial class HostRun
{
    /// <summary>
    /// Runs the host until it is told to stop. A mistake of the operator (options, secret, port in use) becomes one log line each and exit code 1,
    /// not a stack trace.
    /// </summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunToExitCodeAsync(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        try
        {
            await app.RunAsync();
            return 0;
        }
        catch (Exception e) when (OperatorMistakes(e) is { Count: > 0 } mistakes)
        {
            foreach (var mistake in mistakes)
            {
                LogMistake(app.Logger, mistake);
            }

            return 1;
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    internal static IReadOnlyList<string> OperatorMistakes(Exception exception) => exception switch
    {
        OptionsValidationException e => [.. e.Failures],
        StartupException e => [e.Message],
        // Kestrel's "Failed to bind to address http://127.0.0.1:8080: address already in use."
        IOException e => [e.Message],
        AggregateException e when e.InnerExceptions.All(inner => OperatorMistakes(inner).Count > 0) =>
            [.. e.InnerExceptions.SelectMany(OperatorMistakes)],
        _ => [],
    };

    [LoggerMessage(EventId = 1001, Level = LogLevel.Critical, Message = "Cannot start: {Mistake}")]
    private static partial void LogMistake(ILogger logger, string mistake);
}
