namespace Serving.Engine.PackedWeights;

/// <summary>Where a model's packed weights lie.</summary>
public enum PackedWeightsPlace
{
    /// <summary>In memory of this process: no cache was asked for, the model has nothing to pack, or the cache could not be used.</summary>
    OwnMemory,

    /// <summary>In a file that was there already.</summary>
    FoundFile,

    /// <summary>In a file that this process has written.</summary>
    WrittenFile,
}

/// <summary>What came of a <see cref="WeightCache"/> when a model was loaded.</summary>
/// <param name="Place">Where the packed weights lie.</param>
/// <param name="Path">The file, or the folder that could not be used; null where no cache was asked for.</param>
/// <param name="Problem">What went wrong on the way, for the operator: a damaged file that was replaced, or why none could be written. Null: nothing.</param>
public sealed record WeightCacheReport(PackedWeightsPlace Place, string? Path, string? Problem)
{
    /// <summary>No cache was asked for.</summary>
    public static WeightCacheReport None { get; } = new(PackedWeightsPlace.OwnMemory, null, null);
}
