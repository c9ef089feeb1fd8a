using System.Security.Cryptography;
using System.Text;
using Serving.Gateway.Configuration;
using Serving.ServiceDefaults.Security;

namespace Serving.Gateway.Security;

/// <summary>The API keys that clients may present; only their SHA-256 is kept.</summary>
internal sealed class ApiKeys
{
    private const int TenantNameBytes = 8;

    private readonly byte[][] _hashes;

    private ApiKeys(byte[][] hashes, IReadOnlyList<string> mistakes)
    {
        _hashes = hashes;
        Mistakes = mistakes;
    }

    public static ApiKeys None { get; } = new([], []);

    public bool Any => _hashes.Length > 0;

    /// <summary>What is wrong with the file, for people; empty when it is fine. No key is quoted.</summary>
    public IReadOnlyList<string> Mistakes { get; }

    public static ApiKeys Of(GatewayOptions options) => options.ApiKeyFile is { } file ? Read(file) : None;

    public static ApiKeys Read(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new ApiKeys([], [$"cannot read '{path}': {exception.Message}"]);
        }

        var mistakes = new List<string>();
        var hashes = new List<byte[]>();
        for (var line = 0; line < lines.Length; line++)
        {
            var key = lines[line].Trim();
            if (key.Length == 0 || key[0] == '#')
            {
                continue;
            }

            if (key.Length < ApiKeyRules.LengthMin)
            {
                mistakes.Add($"line {line + 1} of '{path}' has a key of {key.Length} characters; use at least {ApiKeyRules.LengthMin}.");
            }
            else if (key.Any(char.IsWhiteSpace))
            {
                mistakes.Add($"line {line + 1} of '{path}' has white space inside a key; write one key a line.");
            }

            hashes.Add(Hash(key));
        }

        if (hashes.Count == 0)
        {
            mistakes.Add($"'{path}' holds no key; write one a line.");
        }

        return new ApiKeys([.. hashes], mistakes);
    }

    /// <summary>Whose key it is; null: it is not known. Takes the same time for every key of a length: all hashes are compared, each in constant time.</summary>
    public Tenant? TenantOf(string key)
    {
        var hash = Hash(key);
        var accepted = false;
        foreach (var known in _hashes)
        {
            accepted |= CryptographicOperations.FixedTimeEquals(known, hash);
        }

        return accepted ? new Tenant(Convert.ToHexStringLower(hash.AsSpan(0, TenantNameBytes))) : null;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
