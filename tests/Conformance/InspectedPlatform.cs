using Serving.EndToEnd;

namespace Serving.Conformance;

/// <summary>The shared platform behind one inspector, which starts with the first test that wants it.</summary>
public sealed class InspectedPlatform(SharedPlatform shared) : IAsyncDisposable
{
    private Inspector? _inspector;

    internal async Task<Inspector> InspectorAsync() => _inspector ??= await Inspector.StartAsync(shared.Platform.BaseAddress);

    public async ValueTask DisposeAsync()
    {
        if (_inspector is not null)
        {
            await _inspector.DisposeAsync();
        }
    }
}
