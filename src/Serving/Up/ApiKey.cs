using System.Net;
using System.Security.Cryptography;
using Serving.Cli.State;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;

namespace Serving.Cli.Up;

/// <summary>The key that clients need.</summary>
/// <param name="File">The file that the gateway reads it from, mode 0600; null: no key is needed.</param>
/// <param name="NewKey">The key, if it was made just now and nobody knows it yet.</param>
internal sealed record ApiKey(string? File, string? NewKey)
{
    /// <summary>Loopback needs no key. Any other address does: the one given, the one in the data folder, or one made now.</summary>
    public static ApiKey Prepare(PlatformSettings settings, DataFolder folder)
    {
        if (settings.ApiKey is { } given)
        {
            if (given.Length < ApiKeyRules.LengthMin)
            {
                throw new StartupException($"The API key has {given.Length} characters; use at least {ApiKeyRules.LengthMin}.");
            }

            System.IO.File.Delete(folder.GivenApiKeyFile);
            PrivateFile.TryCreate(folder.GivenApiKeyFile, given + "\n");
            return new ApiKey(folder.GivenApiKeyFile, NewKey: null);
        }

        if (IPAddress.IsLoopback(settings.Host))
        {
            return new ApiKey(File: null, NewKey: null);
        }

        var made = "sk-" + RandomNumberGenerator.GetHexString(48, lowercase: true);
        return new ApiKey(folder.ApiKeyFile, PrivateFile.TryCreate(folder.ApiKeyFile, made + "\n") ? made : null);
    }
}
