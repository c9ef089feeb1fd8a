using System.Globalization;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Http;

/// <summary><see cref="ServingHeaders.TimeoutMs"/>: how long the client wants an answer to take at most.</summary>
internal static class TimeoutHeader
{
    private const long MillisecondsMax = 24 * 60 * 60 * 1000;

    /// <summary>The milliseconds, 0 when the client has not said, or the error with which to answer.</summary>
    public static (long Milliseconds, ApiError? Error) Read(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(ServingHeaders.TimeoutMs, out var value))
        {
            return (0, null);
        }

        return long.TryParse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is > 0 and <= MillisecondsMax
            ? (milliseconds, null)
            : (0, ApiError.Invalid($"The header {ServingHeaders.TimeoutMs} must be a whole number of milliseconds from 1 to {MillisecondsMax}.", ServingHeaders.TimeoutMs));
    }
}
