using System.Runtime.InteropServices;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Safetensors;

namespace Serving.Cli.Verify.Models;

/// <summary>The tensors beside a golden file.</summary>
internal sealed class GoldenTensors : IDisposable
{
    private readonly SafetensorsFile _file;

    private GoldenTensors(SafetensorsFile file) => _file = file;

    /// <exception cref="VerifyException">The file is missing or broken.</exception>
    public static GoldenTensors Open(string path)
    {
        try
        {
            return new GoldenTensors(SafetensorsFile.Open(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerifyException($"{path}: cannot be read: {e.Message}");
        }
        catch (ModelFormatException e)
        {
            throw new VerifyException(e.Message);
        }
    }

    /// <summary>The rows of a matrix of floats.</summary>
    public float[][] Floats(string name)
    {
        var tensor = Demand(name, 2);
        var rows = tensor.AsMatrix();
        return [.. Enumerable.Range(0, rows.Outputs).Select(row => Decode(rows, row))];
    }

    /// <summary>The rows of a matrix of integers, or the one row of a vector.</summary>
    public int[][] Integers(string name, int dimensions)
    {
        var tensor = Demand(name, dimensions);
        if (tensor.Type != GgmlType.I32)
        {
            throw new VerifyException(tensor.Error($"has the type {tensor.Type}, expected I32").Message);
        }

        var rows = tensor.AsMatrix();
        return [.. Enumerable.Range(0, rows.Outputs).Select(row => MemoryMarshal.Cast<byte, int>(rows.Row(row)).ToArray())];
    }

    public void Dispose() => _file.Dispose();

    private static float[] Decode(RawTensor rows, int row)
    {
        var values = new float[rows.Inputs];
        Engine.Formats.Blocks.BlockDecoder.Decode(rows.Type, rows.Row(row), values);
        return values;
    }

    private ModelTensor Demand(string name, int dimensions)
    {
        var tensor = _file.Find(name) ?? throw new VerifyException($"{_file.Path}: lacks the tensor {name}.");
        return tensor.Shape.Count == dimensions
            ? tensor
            : throw new VerifyException(tensor.Error($"has the shape {tensor.ShapeText}, expected {dimensions} dimensions").Message);
    }
}
