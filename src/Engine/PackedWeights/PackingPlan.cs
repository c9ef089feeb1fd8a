using System.Text;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.PackedWeights;

/// <summary>
/// Which matrices of a model are packed, into which layout, and how they lie one after the other. The others are read where the model's files have them: plain
/// floats, and tables that are only looked up.
/// </summary>
internal sealed class PackingPlan
{
    private readonly bool[] _isFactor;
    private readonly PackedMatrix?[] _matrices;

    private PackingPlan(ModelGraph graph)
    {
        _isFactor = graph.FindFactors();
        _matrices = new PackedMatrix?[graph.Matrices.Count];
    }

    /// <summary>Bytes from the first matrix's begin to the last one's end.</summary>
    public long ByteCount { get; private set; }

    /// <summary>The matrices that are packed, in the order in which they lie.</summary>
    public IEnumerable<PackedMatrix> Packed
    {
        get
        {
            foreach (PackedMatrix? matrix in _matrices)
            {
                if (matrix is not null)
                {
                    yield return matrix;
                }
            }
        }
    }

    public static PackingPlan Create(ModelGraph graph, NumericClass numericClass)
    {
        var plan = new PackingPlan(graph);
        foreach (MatrixWeight weight in graph.Matrices)
        {
            RawTensor layout = weight.Data.Layout;
            if (weight.Data.IsMapped && (plan.IsLookedUp(weight) || numericClass.UsesInPlace(layout.Type)))
            {
                continue;
            }

            PackedForm form = numericClass.FormOf(layout.Type);
            long offset = (plan.ByteCount + NativeBuffer.Alignment - 1) & -NativeBuffer.Alignment;
            long bytes = form.ByteCount(in layout);
            plan._matrices[weight.Index] = new PackedMatrix(weight, form, offset, bytes);
            plan.ByteCount = offset + bytes;
        }

        return plan;
    }

    /// <summary>How a matrix is packed; null where it is read in the model's files.</summary>
    public PackedMatrix? Find(MatrixWeight weight) => _matrices[weight.Index];

    /// <summary>Whether nothing multiplies with a matrix.</summary>
    public bool IsLookedUp(MatrixWeight weight) => !_isFactor[weight.Index];

    /// <summary>The plan as bytes: every matrix's name, format, size, layout and place. Plans of equal bytes give equal files for equal weights.</summary>
    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        foreach (PackedMatrix matrix in Packed)
        {
            writer.Write(matrix.Weight.Name);
            writer.Write((int)matrix.Weight.Data.Layout.Type);
            writer.Write(matrix.Weight.Outputs);
            writer.Write(matrix.Weight.Inputs);
            writer.Write(matrix.Form.Name);
            writer.Write(matrix.Offset);
            writer.Write(matrix.ByteCount);
        }

        writer.Flush();
        return bytes.ToArray();
    }
}
