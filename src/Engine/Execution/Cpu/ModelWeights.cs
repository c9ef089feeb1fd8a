using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>The weights of a model in memory: matrices in the numeric class's layout, vectors as fp32.</summary>
internal sealed class ModelWeights : IDisposable
{
    private readonly WeightMatrix[] _matrices;
    private readonly float[][] _vectors;

    private ModelWeights(WeightMatrix[] matrices, float[][] vectors)
    {
        _matrices = matrices;
        _vectors = vectors;
    }

    public WeightMatrix this[MatrixWeight weight] => _matrices[weight.Index];

    public float[] this[VectorWeight weight] => _vectors[weight.Index];

    /// <summary>Bytes of all weights.</summary>
    public long ResidentBytes
    {
        get
        {
            long bytes = 0;
            Array.ForEach(_matrices, matrix => bytes += matrix.ResidentBytes);
            Array.ForEach(_vectors, vector => bytes += vector.Length * sizeof(float));
            return bytes;
        }
    }

    public static ModelWeights Load(ModelGraph graph, NumericClass numericClass)
    {
        var matrices = new WeightMatrix[graph.Matrices.Count];
        var vectors = new float[graph.Vectors.Count][];
        var weights = new ModelWeights(matrices, vectors);
        try
        {
            foreach (MatrixWeight matrix in graph.Matrices)
            {
                matrices[matrix.Index] = matrix.Data.Read(rows => numericClass.Pack(in rows));
            }

            foreach (VectorWeight vector in graph.Vectors)
            {
                vectors[vector.Index] = vector.Read();
            }

            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public void Dispose() => Array.ForEach(_matrices, matrix => matrix?.Dispose());
}
