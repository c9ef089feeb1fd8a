using Serving.Engine.PackedWeights;

namespace Serving.Worker.Models;

/// <summary>Where a loaded model's memory goes, in bytes.</summary>
/// <param name="KvBytes">Its KV pool.</param>
/// <param name="OwnWeightBytes">Weights in memory of this process.</param>
/// <param name="MappedWeightBytes">Weights in mapped files, whose pages processes of one machine share.</param>
/// <param name="ScratchBytes">Row buffers and tables.</param>
/// <param name="Cache">Where its packed weights lie.</param>
internal sealed record ModelMemory(long KvBytes, long OwnWeightBytes, long MappedWeightBytes, long ScratchBytes, WeightCacheReport Cache);
