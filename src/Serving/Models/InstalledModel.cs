namespace Serving.Cli.Models;

/// <summary>A model that can be served by its name.</summary>
/// <param name="Name">What <c>--model</c> and clients call it.</param>
/// <param name="Format"><c>gguf</c>, <c>hugging-face</c>, <c>onnx</c>, or <c>missing</c> where an added path is gone.</param>
/// <param name="Size">Bytes of its files.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="Path">The GGUF file (of a split one the first part), the folder or the graph, absolute.</param>
internal sealed record InstalledModel(string Name, string Format, long Size, string Origin, string Path);
