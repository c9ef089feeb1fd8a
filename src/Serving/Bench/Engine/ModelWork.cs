using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Cli.Bench.Engine;

/// <summary>
/// What a step has to read and to multiply, of the matrices alone: attention, norms and look-ups come on top. Of experts it is the expectation under a router that chooses each equally often.
/// </summary>
internal sealed class ModelWork
{
    private readonly MatrixSum _layers;
    private readonly MatrixSum _head;
    private readonly List<(RouterSpec Router, MatrixSum Experts)> _mixtures = [];

    public ModelWork(ModelGraph graph, NumericClass numericClass)
    {
        var isFactor = graph.FindFactors();
        var head = graph.Head.OfType<ProjectLogits>().Select(operation => operation.Weight.Index).ToHashSet();
        HashSet<int> experts = [];
        foreach (var mixture in graph.Layers.SelectMany(layer => layer).OfType<MixExperts>())
        {
            MatrixWeight[] matrices = [.. mixture.Set.Experts.SelectMany(expert => expert.GateUp.Append(expert.Down))];
            experts.UnionWith(matrices.Select(matrix => matrix.Index));
            _mixtures.Add((mixture.Set.Router, Sum(matrices)));
        }

        MatrixWeight[] dense = [.. graph.Matrices.Where(matrix => isFactor[matrix.Index] && !experts.Contains(matrix.Index))];
        _head = Sum(dense.Where(matrix => head.Contains(matrix.Index)));
        _layers = Sum(dense.Where(matrix => !head.Contains(matrix.Index)));
        Main = dense.Where(matrix => !head.Contains(matrix.Index))
            .GroupBy(matrix => (matrix.Data.Layout.Type, matrix.Outputs, matrix.Inputs))
            .MaxBy(group => group.Sum(matrix => (long)matrix.Outputs * matrix.Inputs))!.First();

        MatrixSum Sum(IEnumerable<MatrixWeight> matrices) => matrices.Aggregate(default(MatrixSum), (sum, matrix) => sum + MatrixSum.Of(matrix.Data.Layout, numericClass));
    }

    /// <summary>A layer's matrix of the shape that most of the dense weights have.</summary>
    public MatrixWeight Main { get; }

    /// <summary>Bytes of weights that a step reads.</summary>
    public double BytesRead(double rows, double logitRows) =>
        _layers.Bytes + (logitRows > 0 ? _head.Bytes : 0) + _mixtures.Sum(mixture => mixture.Experts.Bytes * PartUsed(mixture.Router, rows));

    /// <summary>Additions and multiplications of a step.</summary>
    public double Operations(double rows, double logitRows) => 2 * (
        (rows * _layers.Weights) + (logitRows * _head.Weights) + _mixtures.Sum(mixture => rows * mixture.Experts.Weights * mixture.Router.Used / mixture.Router.Experts));

    /// <summary>The part of the experts that is chosen for at least one of so many rows.</summary>
    private static double PartUsed(RouterSpec router, double rows) => 1 - Math.Pow(1 - (router.Used / (double)router.Experts), rows);

    private readonly record struct MatrixSum(long Weights, long Bytes)
    {
        public static MatrixSum operator +(MatrixSum a, MatrixSum b) => new(a.Weights + b.Weights, a.Bytes + b.Bytes);

        public static MatrixSum Of(in RawTensor matrix, NumericClass numericClass) =>
            new((long)matrix.Outputs * matrix.Inputs, numericClass.UsesInPlace(matrix.Type) ? matrix.ByteCount : numericClass.PackedBytes(matrix));
    }
}
