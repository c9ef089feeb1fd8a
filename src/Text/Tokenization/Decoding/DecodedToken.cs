using System.Text;

namespace Serving.Text.Tokenization.Decoding;

/// <summary>A token on its way through the decoders: text until one of them makes it bytes.</summary>
/// <param name="Leading">Whether it is the first token of a text.</param>
internal readonly record struct DecodedToken(string Text, byte[]? Bytes, bool IsByte, bool Leading)
{
    public byte[] ToBytes() => Bytes ?? Encoding.UTF8.GetBytes(Text);
}
