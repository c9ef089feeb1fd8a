using System.Security.Cryptography;
using System.Text;
using Serving.ServiceDefaults.Hosting;

namespace Serving.ServiceDefaults.Security;

/// <summary>
/// What the processes of one cluster share: 32 random bytes in a file that only its owner may read. Each use has its own key, derived by
/// HKDF-SHA256 (RFC 5869), so that a key that leaks opens one door and does not tell the others.
/// </summary>
public sealed class ClusterSecret
{
    private const int SecretSize = 32;

    private readonly byte[] _secret;

    public ClusterSecret(ReadOnlySpan<byte> secret)
    {
        if (secret.Length < SecretSize)
        {
            throw new ArgumentException($"A cluster secret has at least {SecretSize} bytes.", nameof(secret));
        }

        _secret = secret.ToArray();
        HttpToken = Convert.ToHexStringLower(Derive("serving/http/v1"));
        KvKey = Derive("serving/kv/v1");
        RedisPassword = Convert.ToHexStringLower(Derive("serving/redis/v1"));
    }

    /// <summary>Bearer token of the internal HTTP APIs; 64 hexadecimal digits.</summary>
    public string HttpToken { get; }

    /// <summary>Key of the KV data plane; 32 bytes.</summary>
    public byte[] KvKey { get; }

    /// <summary>Password of the embedded Redis; 64 hexadecimal digits.</summary>
    public string RedisPassword { get; }

    /// <summary>Reads a secret file.</summary>
    /// <exception cref="StartupException">It is missing, is no secret, or others than its owner may read it.</exception>
    public static ClusterSecret Read(string path)
    {
        try
        {
            RefuseIfOthersMayRead(path);
            var secret = Convert.FromBase64String(File.ReadAllText(path).Trim());
            return secret.Length >= SecretSize
                ? new ClusterSecret(secret)
                : throw new StartupException($"The secret file {path} holds {secret.Length} bytes instead of {SecretSize}: delete it and let 'serving up' make a new one.");
        }
        catch (FormatException e)
        {
            throw new StartupException($"The secret file {path} does not hold base64: delete it and let 'serving up' make a new one.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The secret file {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Makes a secret file that only its owner may read. It appears whole or not at all.</summary>
    /// <returns>False when the file exists already; it is left as it is.</returns>
    public static bool CreateFile(string path) => PrivateFile.TryCreate(path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretSize)) + "\n");

    private static void RefuseIfOthersMayRead(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & PrivateFile.OthersMask) != 0)
        {
            throw new StartupException($"The secret file {path} can be read by others than its owner: run 'chmod 600 {path}', or delete it and let 'serving up' make a new one.");
        }
    }

    private byte[] Derive(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, SecretSize, info: Encoding.ASCII.GetBytes(purpose));
}
