using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Serving.Cli.Hub;

/// <summary>Hashes a file's content as the hub names it: SHA-256 in large-file storage, git's SHA-1 of a blob elsewhere.</summary>
internal sealed class ContentHash : IDisposable
{
    private readonly IncrementalHash _hash;

    public ContentHash(HubFile file)
    {
        _hash = IncrementalHash.CreateHash(file.Sha256 is null ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
        if (file.Sha256 is null)
        {
            _hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {file.Size}\0")));
        }
    }

    public void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);

    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();
}
