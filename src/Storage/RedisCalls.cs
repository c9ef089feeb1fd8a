using StackExchange.Redis;

namespace Serving.Storage;

/// <summary>Calls to Redis whose failure means that nothing stored can be reached, and what makes a change durable.</summary>
internal sealed class RedisCalls(IConnectionMultiplexer redis)
{
    private volatile bool _commitsByItself;

    public IDatabase Database => redis.GetDatabase();

    public static async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            throw new StorageUnavailableException(
                "What is stored cannot be reached, because the shared state (Redis) does not answer. Try again; requests that store nothing are served.", exception);
        }
    }

    /// <summary>
    /// Garnet, the embedded server, writes its log ten times a second; this writes it now. Redis has no such command: how soon it writes is
    /// its own setting (<c>appendfsync</c>).
    /// </summary>
    public async Task CommitAsync()
    {
        if (_commitsByItself)
        {
            return;
        }

        try
        {
            await Database.ExecuteAsync("COMMITAOF");
        }
        catch (RedisServerException exception) when (exception.Message.Contains("unknown command", StringComparison.OrdinalIgnoreCase))
        {
            _commitsByItself = true;
        }
    }
}
