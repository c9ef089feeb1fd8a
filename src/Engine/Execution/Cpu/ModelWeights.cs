using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.Models;
using Serving.Engine.PackedWeights;

namespace Serving.Engine.Execution.Cpu;

/// <summary>
/// The weights of a model: matrices where they lie in the file as the numeric class uses them, else packed into its layout, in a file that workers share or in memory;
/// tables that are only looked up in any format where they lie; vectors as fp32. What they lie in stays open until they are disposed.
/// </summary>
internal sealed unsafe class ModelWeights : IDisposable
{
    // Null where they use none of it.
    private ModelSource? _source;
    private WeightFile? _packed;

    // All packed matrices, where they have no file: one piece, for huge pages.
    private NativeBuffer? _memory;

    // By index of the matrix: one of the two.
    private readonly WeightMatrix?[] _matrices;
    private readonly MappedTable?[] _tables;
    private readonly float[][] _vectors;
    private bool _isDisposed;

    private ModelWeights(ModelGraph graph)
    {
        _matrices = new WeightMatrix?[graph.Matrices.Count];
        _tables = new MappedTable?[graph.Matrices.Count];
        _vectors = new float[graph.Vectors.Count][];
    }

    public WeightMatrix this[MatrixWeight weight] => _matrices[weight.Index]
        ?? throw new InvalidOperationException($"The matrix {weight.Name} is only looked up; an operation that multiplies with it must name it in its factors.");

    public float[] this[VectorWeight weight] => _vectors[weight.Index];

    /// <summary>Where the packed matrices lie.</summary>
    public WeightCacheReport Cache { get; private set; } = WeightCacheReport.None;

    /// <summary>Bytes of matrices that are packed into memory, and of vectors.</summary>
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

    /// <summary>Bytes that are read in mapped files: the model's, and that of its packed weights.</summary>
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

    /// <summary>What <see cref="ResidentBytes"/> and <see cref="MappedBytes"/> will be without a cache.</summary>
    public static (long Resident, long Mapped) ByteCount(ModelGraph graph, NumericClass numericClass)
    {
        PackingPlan plan = PackingPlan.Create(graph, numericClass);
        (long resident, long mapped) = (0, 0);
        foreach (MatrixWeight matrix in graph.Matrices)
        {
            PackedMatrix? packed = plan.Find(matrix);
            resident += packed?.ByteCount ?? 0;
            mapped += packed is null ? matrix.Data.Layout.ByteCount : 0;
        }

        foreach (VectorWeight vector in graph.Vectors)
        {
            resident += (long)vector.Length * sizeof(float);
        }

        return (resident, mapped);
    }

    /// <param name="pool">The threads that pack.</param>
    /// <param name="cache">Where packed weights are kept, or null: they are packed into memory.</param>
    /// <param name="family">As <see cref="WeightCache.Open"/> has it.</param>
    public static ModelWeights Load(ModelSource source, ModelGraph graph, NumericClass numericClass, ComputePool pool, WeightCache? cache = null, string family = "")
    {
        var weights = new ModelWeights(graph);
        try
        {
            PackingPlan plan = PackingPlan.Create(graph, numericClass);
            if (cache is not null)
            {
                weights._packed = cache.Open(source, plan, family, pool, out WeightCacheReport report);
                weights.Cache = report;
            }

            weights._memory = weights._packed is null ? new NativeBuffer(plan.ByteCount) : null;
            var packer = new MatrixPacker(pool);
            foreach (MatrixWeight matrix in graph.Matrices)
            {
                if (plan.Find(matrix) is { } packed)
                {
                    weights.Open(packed, numericClass, packer);
                }
                else
                {
                    weights.Retain(source);
                    weights.Map(matrix, plan.IsLookedUp(matrix), numericClass);
                }
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
        _packed?.Dispose();
        _memory?.Dispose();
        _source?.Release();
    }

    private void Retain(ModelSource source)
    {
        if (_source is null)
        {
            source.Retain();
            _source = source;
        }
    }

    private void Map(MatrixWeight matrix, bool isLookedUp, NumericClass numericClass)
    {
        RawTensor layout = matrix.Data.Layout;
        if (isLookedUp)
        {
            _tables[matrix.Index] = new MappedTable(layout);
        }
        else
        {
            _matrices[matrix.Index] = numericClass.Map(in layout);
        }
    }

    private void Open(PackedMatrix packed, NumericClass numericClass, MatrixPacker packer)
    {
        MatrixWeight weight = packed.Weight;
        PackedMemory memory = _memory is null ? _packed!.Memory(packed) : PackedMemory.Within(_memory, packed.Offset, packed.ByteCount);
        if (_memory is not null)
        {
            weight.Data.Read(rows =>
            {
                packer.Pack(in rows, packed.Form, 0, rows.Outputs, memory.Address);
                return true;
            });
        }

        _matrices[weight.Index] = numericClass.Open(weight.Data.Layout, memory);
    }
}
