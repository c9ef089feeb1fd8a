namespace Serving.Grammars;

/// <summary>
/// Texts of tokens as a trie in flat arrays, parents before their children: walking it is reading forward, and passing over a subtree is one jump.
/// </summary>
internal sealed class TokenTrie
{
    private TokenTrie(byte[] bytes, short[] depths, int[] skips, int[] tokenStarts, int[] tokens)
    {
        Bytes = bytes;
        Depths = depths;
        Skips = skips;
        TokenStarts = tokenStarts;
        Tokens = tokens;
        DepthMax = depths.Length == 0 ? 0 : depths.Max();
    }

    /// <param name="texts">By token id; empty ones are left out.</param>
    public TokenTrie(IReadOnlyList<ReadOnlyMemory<byte>> texts)
        : this(Build(texts, [.. Enumerable.Range(0, texts.Count).Where(id => texts[id].Length > 0)]))
    {
    }

    private TokenTrie((byte[] Bytes, short[] Depths, int[] Skips, int[] TokenStarts, int[] Tokens) parts)
        : this(parts.Bytes, parts.Depths, parts.Skips, parts.TokenStarts, parts.Tokens)
    {
    }

    public int NodeCount => Bytes.Length;

    /// <summary>Of each node: the last byte of its text.</summary>
    public byte[] Bytes { get; }

    /// <summary>The length of its text, from 1.</summary>
    public short[] Depths { get; }

    /// <summary>The first node after its subtree.</summary>
    public int[] Skips { get; }

    /// <summary>Where in <see cref="Tokens"/> those begin whose text it is; they end where the next node's begin.</summary>
    public int[] TokenStarts { get; }

    public int[] Tokens { get; }

    /// <summary>The longest text's length.</summary>
    public int DepthMax { get; }

    /// <summary>The trie of some of the tokens.</summary>
    public static TokenTrie Of(IReadOnlyList<ReadOnlyMemory<byte>> texts, List<int> ids) => new(Build(texts, [.. ids]));

    private static (byte[], short[], int[], int[], int[]) Build(IReadOnlyList<ReadOnlyMemory<byte>> texts, int[] ids)
    {
        Array.Sort(ids, (a, b) => texts[a].Span.SequenceCompareTo(texts[b].Span) is var order and not 0 ? order : a.CompareTo(b));
        var bytes = new List<byte>();
        var depths = new List<short>();
        ReadOnlySpan<byte> before = [];
        for (var i = 0; i < ids.Length; i++)
        {
            var text = texts[ids[i]].Span;
            for (var depth = before.CommonPrefixLength(text); depth < text.Length; depth++)
            {
                bytes.Add(text[depth]);
                depths.Add(checked((short)(depth + 1)));
            }

            before = text;
        }

        return ([.. bytes], [.. depths], SkipsOf(depths), StartsOf(texts, ids, depths), ids);
    }

    private static int[] SkipsOf(List<short> depths)
    {
        var skips = new int[depths.Count];
        var open = new Stack<int>();
        for (var node = 0; node <= depths.Count; node++)
        {
            while (open.Count > 0 && (node == depths.Count || depths[open.Peek()] >= depths[node]))
            {
                skips[open.Pop()] = node;
            }

            open.Push(node);
        }

        return skips;
    }

    private static int[] StartsOf(IReadOnlyList<ReadOnlyMemory<byte>> texts, int[] ids, List<short> depths)
    {
        // Tokens are in the order of the nodes: a node's begin where those before it have ended.
        var starts = new int[depths.Count + 1];
        var token = 0;
        var node = -1;
        ReadOnlySpan<byte> before = [];
        while (token < ids.Length)
        {
            var text = texts[ids[token]].Span;
            for (var added = text.Length - before.CommonPrefixLength(text); added > 0; added--)
            {
                starts[++node] = token;
            }

            before = text;
            token++;
        }

        starts[depths.Count] = ids.Length;
        return starts;
    }
}
