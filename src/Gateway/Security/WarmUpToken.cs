using System.Security.Cryptography;
using System.Text;

namespace Serving.Gateway.Security;

/// <summary>
/// A secret of this process with which the gateway knows its own warm-up requests. Whoever presents it needs no API key and may pin
/// workers, so it never leaves the process but over its own loopback.
/// </summary>
internal sealed class WarmUpToken
{
    public const string Header = "x-serving-warm-up";

    private readonly byte[] _bytes;

    public WarmUpToken()
    {
        Value = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        _bytes = Encoding.ASCII.GetBytes(Value);
    }

    public string Value { get; }

    public bool IsIn(HttpRequest request) =>
        request.Headers.TryGetValue(Header, out var sent)
        && CryptographicOperations.FixedTimeEquals(_bytes, Encoding.UTF8.GetBytes(sent.ToString()));
}
