namespace Serving.Engine.Models;

/// <summary>A buffer of a step: one row of fp32 values for each row of the batch. Layers share it.</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Buffers"/>.</param>
/// <param name="Name">What it holds.</param>
/// <param name="Width">Elements of a row.</param>
public record RowBuffer(int Index, string Name, int Width);

/// <summary>A buffer that matrix products read.</summary>
public sealed record ProductInput(int Index, string Name, int Width) : RowBuffer(Index, Name, Width);
