using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Serving.Gateway.Bench.Hosts;

/// <summary>How a child process tells its parent where it listens, and ends with it.</summary>
internal static class ChildHost
{
    /// <summary>Starts, prints the addresses in one line and runs until the standard input ends.</summary>
    public static async Task RunAsChildAsync(this WebApplication app)
    {
        await app.StartAsync();
        Console.WriteLine(string.Join(' ', app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses));
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
    }
}
