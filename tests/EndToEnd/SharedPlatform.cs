namespace Serving.EndToEnd;

/// <summary>One platform on the embedded default, for all tests that leave it as they found it.</summary>
public sealed class SharedPlatform : IAsyncLifetime
{
    private Platform? _platform;

    public Platform Platform => _platform ?? throw new InvalidOperationException("the platform has not started");

    public async ValueTask InitializeAsync() => _platform = await Platform.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_platform is not null)
        {
            await _platform.DisposeAsync();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class SharedPlatformCollection : ICollectionFixture<SharedPlatform>
{
    public const string Name = "shared platform";
}
