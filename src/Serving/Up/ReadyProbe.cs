namespace Serving.Cli.Up;

/// <summary>Asks a gateway whether a request would be served.</summary>
internal static class ReadyProbe
{
    public static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <returns>False when it is not ready after <see cref="TimeMax"/>.</returns>
    public static async Task<bool> WaitAsync(Uri gateway, TimeProvider time, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = gateway, Timeout = TimeSpan.FromSeconds(2) };
        var begin = time.GetTimestamp();
        while (time.GetElapsedTime(begin) < TimeMax)
        {
            if (await IsReadyAsync(client, cancellationToken))
            {
                return true;
            }

            await Task.Delay(Interval, time, cancellationToken);
        }

        return false;
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.GetAsync(new Uri("/ready", UriKind.Relative), cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It did not answer within the client's time-out.
            return false;
        }
    }
}
