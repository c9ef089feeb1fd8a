namespace Serving.Engine.Sampling;

/// <summary>Where an order by (key ascending, index ascending) is cut off: this element and those before it are kept.</summary>
/// <param name="Key">Key of the last element kept.</param>
/// <param name="Index">Its index.</param>
internal readonly record struct RankCut(uint Key, int Index)
{
    public bool Keeps(uint key, int index) => key < Key || (key == Key && index <= Index);
}
