using Serving.Cli.State;
using StackExchange.Redis;

namespace Serving.Serving.Tests.State;

public sealed class EmbeddedRedisTests
{
    [Fact]
    public async Task Refuses_a_wrong_password_and_none()
    {
        using var folder = new TemporaryFolder();
        using var redis = EmbeddedRedis.Start(folder.File("redis"), "right", folder.File("redis.log"));
        foreach (var password in new[] { "", ",password=wrong" })
        {
            var options = $"{redis.EndPoint}{password},connectTimeout=500,connectRetry=0";
            await Assert.ThrowsAnyAsync<RedisException>(async () =>
            {
                await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
                await connection.GetDatabase().PingAsync();
            });
        }
    }

    [Fact]
    public async Task Remembers_what_it_was_told_and_writes_into_its_folder_only()
    {
        using var folder = new TemporaryFolder();
        for (var round = 0; round < 2; round++)
        {
            using var redis = EmbeddedRedis.Start(folder.File("redis"), "p", folder.File("redis.log"));
            await using var connection = await ConnectionMultiplexer.ConnectAsync($"{redis.EndPoint},password=p");
            var database = connection.GetDatabase();
            Assert.Equal(round == 0 ? RedisValue.Null : "value", await database.StringGetAsync("key"));
            await database.StringSetAsync("key", "value");
            // The append-only file is committed ten times a second; a stop commits too.
            await database.ExecuteAsync("COMMITAOF");
        }

        Assert.Equal(["redis", "redis.log"], Directory.GetFileSystemEntries(folder.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Forgets_the_workers_of_a_platform_that_was_killed()
    {
        using var folder = new TemporaryFolder();
        using var redis = EmbeddedRedis.Start(folder.File("redis"), "p", folder.File("redis.log"));
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{redis.EndPoint},password=p");
        var database = connection.GetDatabase();
        await database.SetAddAsync("serving:workers", "w");
        await database.StringSetAsync("serving:worker:w", "{}");
        await database.StringSetAsync("other", "stays");

        await RedisProbe.ForgetWorkersAsync(redis, "p");
        Assert.False(await database.KeyExistsAsync("serving:workers"));
        Assert.False(await database.KeyExistsAsync("serving:worker:w"));
        Assert.True(await database.KeyExistsAsync("other"));
    }
}
