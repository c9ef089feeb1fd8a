using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Serving.Text.Tokenization;

namespace Serving.Text.Streaming;

/// <summary>
/// Turns one stream of token ids into text as it comes. While the last token ends inside a character, the text since the last whole one
/// is held back, as Hugging Face's DecodeStream does. For text that is UTF-8, the pieces put together are what
/// <see cref="ITokenizer.Decode"/> says of all ids at once. (The exception are runs of byte tokens that end in an error: there characters
/// that were complete have been handed out already.) Not for use by several threads.
/// </summary>
public sealed class StreamingDetokenizer(ITokenizer tokenizer, bool skipSpecial = true)
{
    private const int CharacterBytesMax = 4;

    /// <summary>A stream that never comes to the end of a character is not held back for longer than this.</summary>
    private const int HeldBytesMax = 64;

    private byte[] _buffer = new byte[HeldBytesMax];
    private int _heldCount;
    private bool _heldIsByteRun;
    private bool _started;

    /// <summary>Whether the end of the stream so far is held back for the rest of its character.</summary>
    public bool HoldsBytes => _heldCount > 0;

    /// <summary>The text that the next token completes; often empty.</summary>
    public string Append(int id)
    {
        if (skipSpecial && tokenizer.IsSpecial(id))
        {
            return "";
        }

        ReadOnlySpan<byte> bytes = _started ? tokenizer.TokenBytes(id) : tokenizer.LeadingTokenBytes(id);
        _started |= !tokenizer.TokenBytes(id).IsEmpty;
        if (bytes.IsEmpty)
        {
            return "";
        }

        bool isByte = tokenizer.Kind(id) == TokenKind.Byte;
        if (_heldCount == 0 && !isByte && Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        // A byte token is a part of a character only together with other byte tokens.
        string before = isByte == _heldIsByteRun ? "" : Flush();
        _heldIsByteRun = isByte;
        Hold(bytes);
        string completed = TakeCompleted();
        return before.Length == 0 ? completed : before + completed;
    }

    /// <summary>Ends the stream: what was held back for the rest of its character becomes U+FFFD.</summary>
    public string Flush()
    {
        string text = Decode(_buffer.AsSpan(0, _heldCount));
        _heldCount = 0;
        return text;
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        if (_heldCount + bytes.Length > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _heldCount + bytes.Length));
        }

        bytes.CopyTo(_buffer.AsSpan(_heldCount));
        _heldCount += bytes.Length;
    }

    private string TakeCompleted()
    {
        int completed = CountDecided();
        if (completed == 0 || (completed < _heldCount && _heldCount <= HeldBytesMax))
        {
            return "";
        }

        string text = Decode(_buffer.AsSpan(0, completed));
        _buffer.AsSpan(completed, _heldCount - completed).CopyTo(_buffer);
        _heldCount -= completed;
        return text;
    }

    /// <summary>How many of the held bytes no later byte can change the meaning of: all but a character's beginning at the end.</summary>
    private int CountDecided()
    {
        ReadOnlySpan<byte> held = _buffer.AsSpan(0, _heldCount);
        for (int start = Math.Max(0, held.Length - CharacterBytesMax + 1); start < held.Length; start++)
        {
            bool begins = (held[start] & 0xC0) == 0xC0;
            if (begins && Rune.DecodeFromUtf8(held[start..], out _, out _) == OperationStatus.NeedMoreData)
            {
                return start;
            }
        }

        return held.Length;
    }

    private string Decode(ReadOnlySpan<byte> bytes) =>
        _heldIsByteRun && !Utf8.IsValid(bytes) ? ReplaceEachBadByte(bytes) : Encoding.UTF8.GetString(bytes);

    private static string ReplaceEachBadByte(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new(bytes.Length);
        while (!bytes.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length);
            if (status == OperationStatus.Done)
            {
                text.Append(rune);
            }
            else
            {
                text.Append('\uFFFD', length);
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }
}
