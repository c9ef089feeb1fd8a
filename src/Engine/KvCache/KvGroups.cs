namespace Serving.Engine.KvCache;

/// <summary>
/// Which layers keep their KV in the same blocks. Layers that see everything and layers that see a window of the last tokens need blocks for different tokens, so each
/// kind has groups of its own, and a sequence a block table for each group. All groups have the same number of layers, so that a block is as good for one as for another and
/// one pool serves all (as in vLLM's hybrid KV cache manager); where a kind's layers do not fill its last group, places stay empty.
/// </summary>
public sealed class KvGroups : IEquatable<KvGroups>
{
    private const int GroupsMax = 8;

    private readonly int[] _groupOfLayer;
    private readonly int[] _placeOfLayer;
    private readonly int[] _windows;

    private KvGroups(int[] groupOfLayer, int[] placeOfLayer, int[] windows, int layersPerBlock)
    {
        _groupOfLayer = groupOfLayer;
        _placeOfLayer = placeOfLayer;
        _windows = windows;
        LayersPerBlock = layersPerBlock;
        for (int group = 0; group < windows.Length; group++)
        {
            HasWindows |= windows[group] > 0;
        }
    }

    /// <summary>Groups: block tables of a sequence.</summary>
    public int Count => _windows.Length;

    /// <summary>Layers that a block holds.</summary>
    public int LayersPerBlock { get; }

    /// <summary>Whether any layer sees only a window.</summary>
    public bool HasWindows { get; }

    /// <summary>All layers in one group.</summary>
    public static KvGroups Single(int layers, int window = 0)
    {
        var windows = new int[layers];
        Array.Fill(windows, window);
        return Of(windows);
    }

    /// <summary>The groups of a model.</summary>
    /// <param name="windows">How many tokens each layer sees, its own among them; 0: all.</param>
    public static KvGroups Of(ReadOnlySpan<int> windows)
    {
        var kinds = new SortedDictionary<int, int>();
        foreach (int window in windows)
        {
            kinds[window] = kinds.GetValueOrDefault(window) + 1;
        }

        int layersPerBlock = FindLayersPerBlock(kinds, windows.Length);
        var groupOfLayer = new int[windows.Length];
        var placeOfLayer = new int[windows.Length];
        var windowsOfGroups = new List<int>();
        foreach (int kind in kinds.Keys)
        {
            int placed = 0;
            for (int layer = 0; layer < windows.Length; layer++)
            {
                if (windows[layer] != kind)
                {
                    continue;
                }

                if (placed % layersPerBlock == 0)
                {
                    windowsOfGroups.Add(kind);
                }

                groupOfLayer[layer] = windowsOfGroups.Count - 1;
                placeOfLayer[layer] = placed++ % layersPerBlock;
            }
        }

        return new KvGroups(groupOfLayer, placeOfLayer, [.. windowsOfGroups], layersPerBlock);
    }

    public int GroupOf(int layer) => _groupOfLayer[layer];

    /// <summary>Where a layer lies in a block of its group, from 0.</summary>
    public int PlaceOf(int layer) => _placeOfLayer[layer];

    /// <summary>Whether a group's layers see all tokens.</summary>
    public bool SeesAll(int group) => _windows[group] == 0;

    /// <summary>The first position that a token at a position sees in a group's layers.</summary>
    public int FirstSeen(int group, int position) => SeesAll(group) ? 0 : Math.Max(0, position - _windows[group] + 1);

    public bool Equals(KvGroups? other) =>
        other is not null && LayersPerBlock == other.LayersPerBlock && _groupOfLayer.AsSpan().SequenceEqual(other._groupOfLayer) && _windows.AsSpan().SequenceEqual(other._windows);

    public override bool Equals(object? obj) => Equals(obj as KvGroups);

    public override int GetHashCode() => HashCode.Combine(_groupOfLayer.Length, Count, LayersPerBlock);

    public override string ToString() => $"{Count} of {LayersPerBlock} layers, windows {string.Join(' ', _windows)}";

    /// <summary>The size that leaves the fewest places empty; of those the largest, which needs the fewest tables.</summary>
    private static int FindLayersPerBlock(SortedDictionary<int, int> kinds, int layers)
    {
        int best = layers;
        int bestPlaces = int.MaxValue;
        for (int size = layers; size > 0; size--)
        {
            int groups = 0;
            foreach (int count in kinds.Values)
            {
                groups += (count + size - 1) / size;
            }

            if (groups <= Math.Max(GroupsMax, kinds.Count) && groups * size < bestPlaces)
            {
                (best, bestPlaces) = (size, groups * size);
            }
        }

        return best;
    }
}
