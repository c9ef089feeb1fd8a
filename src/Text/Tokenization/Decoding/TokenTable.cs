using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace Serving.Text.Tokenization.Decoding;

/// <summary>What each token adds to a text, as bytes in one block.</summary>
internal sealed class TokenTable
{
    private readonly List<byte> _building = [];
    private readonly (int Offset, int Length)[] _pieces;
    private readonly (int Offset, int Length)[] _leading;
    private readonly TokenKind[] _kinds;
    private readonly bool[] _special;
    private byte[] _bytes = [];

    public TokenTable(int count)
    {
        _pieces = new (int, int)[count];
        _leading = new (int, int)[count];
        _kinds = new TokenKind[count];
        _special = new bool[count];
        Array.Fill(_kinds, TokenKind.Unused);
    }

    public int Count => _kinds.Length;

    public ReadOnlySpan<byte> Bytes(int id) => (uint)id < (uint)Count ? _bytes.AsSpan(_pieces[id].Offset, _pieces[id].Length) : [];

    public ReadOnlySpan<byte> LeadingBytes(int id) => (uint)id < (uint)Count ? _bytes.AsSpan(_leading[id].Offset, _leading[id].Length) : [];

    public TokenKind Kind(int id) => (uint)id < (uint)Count ? _kinds[id] : TokenKind.Unused;

    public bool IsSpecial(int id) => (uint)id < (uint)Count && _special[id];

    public void Set(int id, TokenKind kind, bool special, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> leading)
    {
        _kinds[id] = kind;
        _special[id] = special;
        _pieces[id] = Append(bytes);
        _leading[id] = bytes.SequenceEqual(leading) ? _pieces[id] : Append(leading);
    }

    /// <summary>Ends building; nothing is set after it.</summary>
    public TokenTable Seal()
    {
        _bytes = [.. _building];
        _building.Clear();
        _building.TrimExcess();
        return this;
    }

    /// <summary>
    /// The text of <paramref name="ids"/>. A run of byte tokens that is not UTF-8 as a whole becomes one U+FFFD a byte; other bytes follow
    /// the usual rule, one U+FFFD for each part that no character can begin with.
    /// </summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial)
    {
        List<byte> text = new(ids.Length * 4);
        int runStart = -1;
        bool isFirst = true;
        foreach (int id in ids)
        {
            if (skipSpecial && IsSpecial(id))
            {
                continue;
            }

            ReadOnlySpan<byte> bytes = isFirst ? LeadingBytes(id) : Bytes(id);
            isFirst &= Bytes(id).IsEmpty;
            if (Kind(id) == TokenKind.Byte)
            {
                runStart = runStart < 0 ? text.Count : runStart;
            }
            else
            {
                EndByteRun(text, ref runStart);
            }

            text.AddRange(bytes);
        }

        EndByteRun(text, ref runStart);
        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(text));
    }

    private static void EndByteRun(List<byte> text, ref int runStart)
    {
        if (runStart >= 0)
        {
            ReadOnlySpan<byte> run = CollectionsMarshal.AsSpan(text)[runStart..];
            if (!Utf8.IsValid(run))
            {
                int count = run.Length;
                text.RemoveRange(runStart, count);
                for (int i = 0; i < count; i++)
                {
                    text.AddRange("\uFFFD"u8);
                }
            }

            runStart = -1;
        }
    }

    private (int Offset, int Length) Append(ReadOnlySpan<byte> bytes)
    {
        (int, int) piece = (_building.Count, bytes.Length);
        _building.AddRange(bytes);
        return piece;
    }
}
