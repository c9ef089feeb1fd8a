using System.Text;

namespace Serving.Transfer.Wire;

/// <summary>The reason in a Refuse or Abort frame: short printable ASCII, because it ends up in the other side's log.</summary>
internal static class FrameText
{
    public const int LengthMax = 200;

    public static int Write(string text, Span<byte> destination)
    {
        int length = Math.Min(text.Length, LengthMax);
        for (int i = 0; i < length; i++)
        {
            destination[i] = Printable((byte)Math.Min(text[i], '\x7f'));
        }

        return length;
    }

    public static string Read(ReadOnlySpan<byte> source)
    {
        Span<byte> text = stackalloc byte[LengthMax];
        int length = Math.Min(source.Length, LengthMax);
        for (int i = 0; i < length; i++)
        {
            text[i] = Printable(source[i]);
        }

        return Encoding.ASCII.GetString(text[..length]);
    }

    private static byte Printable(byte character) => character is >= 0x20 and < 0x7f ? character : (byte)'?';
}
