using Serving.Engine.Formats;

namespace Serving.Engine.Models;

/// <summary>A model as lists of operations, with the buffers and weights that they name. It holds no memory: an executor gives it some.</summary>
/// <param name="Config">The model's sizes.</param>
/// <param name="Kv">What a token leaves in the KV cache of each layer.</param>
/// <param name="Embedding">What comes before the first layer, over all rows of a step.</param>
/// <param name="Layers">The operations of each layer, over all rows.</param>
/// <param name="Head">What comes after the last layer. It begins by selecting rows and runs over the rows whose logits are wanted.</param>
public sealed record ModelGraph(
    ModelConfig Config,
    KvShape Kv,
    IReadOnlyList<Operation> Embedding,
    IReadOnlyList<IReadOnlyList<Operation>> Layers,
    IReadOnlyList<Operation> Head,
    IReadOnlyList<RowBuffer> Buffers,
    IReadOnlyList<MatrixWeight> Matrices,
    IReadOnlyList<VectorWeight> Vectors,
    IReadOnlyList<RopeSpec> Ropes,
    IReadOnlyList<AttentionSpec> Attentions)
{
    /// <summary>Reads what model a source holds and checks that every tensor of it is there with the right shape.</summary>
    /// <param name="contextTokensMax">Most tokens of a sequence; some models turn positions otherwise where sequences are to be long.</param>
    /// <exception cref="ModelFormatException">The architecture is not supported, or the files contradict themselves.</exception>
    public static ModelGraph Build(ModelSource source, int contextTokensMax = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(source);
        return ArchitectureSpec.For(source).Build(source, contextTokensMax);
    }

    /// <summary>All operations, in the order in which they run.</summary>
    internal IEnumerable<Operation> Operations
    {
        get
        {
            foreach (Operation operation in Embedding)
            {
                yield return operation;
            }

            foreach (IReadOnlyList<Operation> layer in Layers)
            {
                foreach (Operation operation in layer)
                {
                    yield return operation;
                }
            }

            foreach (Operation operation in Head)
            {
                yield return operation;
            }
        }
    }

    /// <summary>By index of the matrix, whether an operation multiplies with it; the others are only looked up.</summary>
    public bool[] FindFactors()
    {
        var isFactor = new bool[Matrices.Count];
        foreach (Operation operation in Operations)
        {
            foreach (MatrixWeight matrix in operation.Factors)
            {
                isFactor[matrix.Index] = true;
            }
        }

        return isFactor;
    }
}
