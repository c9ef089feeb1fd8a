namespace Serving.Cli.Inspect;

/// <summary>Tensors that differ by the numbers in their names only, and run alike.</summary>
/// <param name="Name">The name, each number an asterisk.</param>
/// <param name="Shape">The outermost dimension first.</param>
/// <param name="Type">The element format.</param>
/// <param name="Kernel">What multiplies with it; a dash for vectors and what is not used.</param>
internal sealed record TensorGroup(string Name, string Shape, string Type, string Kernel, int Count, long ByteCount);
