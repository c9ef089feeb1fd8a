using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>
/// The weights of a model: matrices where they lie in the file as the numeric class uses them, else in its layout; tables that are only looked up in any
/// format where they lie; vectors as fp32. The source stays open until they are disposed.
/// </summary>
internal sealed class ModelWeights : IDisposable
{
    private readonly ModelSource _source;

    // By index of the matrix: one of the two.
    private readonly WeightMatrix?[] _matrices;
    private readonly MappedTable?[] _tables;
    private readonly float[][] _vectors;
    private bool _isDisposed;

    private ModelWeights(ModelSource source, ModelGraph graph)
    {
        source.Retain();
        _source = source;
        _matrices = new WeightMatrix?[graph.Matrices.Count];
        _tables = new MappedTable?[graph.Matrices.Count];
        _vectors = new float[graph.Vectors.Count][];
    }

    public WeightMatrix this[MatrixWeight weight] => _matrices[weight.Index]
        ?? throw new InvalidOperationException($"The matrix {weight.Name} is only looked up; an operation that multiplies with it must name it in its factors.");

    public float[] this[VectorWeight weight] => _vectors[weight.Index];

    /// <summary>Bytes of repacked matrices and of vectors.</summary>
    public long ResidentBytes
    {
        get
        {
            long bytes = 0;
            Array.ForEach(_matrices, matrix => bytes += matrix?.ResidentBytes ?? 0);
            Array.ForEach(_vectors, vector => bytes += vector.Length * sizeof(float));
            return bytes;
        }
    }

    /// <summary>Bytes of the model's files that are read in place.</summary>
    public long MappedBytes
    {
        get
        {
            long bytes = 0;
            Array.ForEach(_matrices, matrix => bytes += matrix?.MappedBytes ?? 0);
            Array.ForEach(_tables, table => bytes += table?.MappedBytes ?? 0);
            return bytes;
        }
    }

    /// <summary>What <see cref="ResidentBytes"/> and <see cref="MappedBytes"/> will be.</summary>
    public static (long Resident, long Mapped) ByteCount(ModelGraph graph, NumericClass numericClass)
    {
        bool[] isFactor = graph.FindFactors();
        (long resident, long mapped) = (0, 0);
        foreach (MatrixWeight matrix in graph.Matrices)
        {
            RawTensor layout = matrix.Data.Layout;
            bool isRead = matrix.Data.IsMapped && (!isFactor[matrix.Index] || numericClass.UsesInPlace(layout.Type));
            resident += isRead ? 0 : numericClass.PackedBytes(in layout);
            mapped += isRead ? layout.ByteCount : 0;
        }

        foreach (VectorWeight vector in graph.Vectors)
        {
            resident += (long)vector.Length * sizeof(float);
        }

        return (resident, mapped);
    }

    public static ModelWeights Load(ModelSource source, ModelGraph graph, NumericClass numericClass)
    {
        var weights = new ModelWeights(source, graph);
        try
        {
            bool[] isFactor = graph.FindFactors();
            foreach (MatrixWeight matrix in graph.Matrices)
            {
                weights.Load(matrix, isFactor[matrix.Index], numericClass);
            }

            foreach (VectorWeight vector in graph.Vectors)
            {
                weights._vectors[vector.Index] = vector.Read();
            }

            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Writes row <paramref name="row"/> of a matrix as fp32.</summary>
    public void CopyRow(MatrixWeight weight, int row, Span<float> destination)
    {
        if (_tables[weight.Index] is { } table)
        {
            table.CopyRow(row, destination);
        }
        else
        {
            this[weight].CopyRow(row, destination);
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Array.ForEach(_matrices, matrix => matrix?.Dispose());
        _source.Release();
    }

    private void Load(MatrixWeight matrix, bool isFactor, NumericClass numericClass)
    {
        RawTensor layout = matrix.Data.Layout;
        if (matrix.Data.IsMapped && !isFactor)
        {
            _tables[matrix.Index] = new MappedTable(layout);
        }
        else if (matrix.Data.IsMapped && numericClass.UsesInPlace(layout.Type))
        {
            _matrices[matrix.Index] = numericClass.Map(in layout);
        }
        else
        {
            // The rows of a rearrangement are gone when its reading ends.
            _matrices[matrix.Index] = matrix.Data.Read(rows => numericClass.Pack(in rows));
        }
    }
}
