using System.Buffers.Binary;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Embeddings;

/// <summary>Arithmetic on vectors of length 1.</summary>
internal static class EmbeddingVectors
{
    /// <summary>A worker's vector. Cut to its first elements it is brought to length 1 again (Kusupati et al., "Matryoshka Representation Learning", NeurIPS 2022).</summary>
    /// <param name="dimensions">Elements to keep; null: all of them.</param>
    public static float[] Read(Embedding embedding, int? dimensions)
    {
        var bytes = embedding.Values.Span;
        var vector = new float[dimensions ?? (bytes.Length / sizeof(float))];
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        }

        if (dimensions is not null)
        {
            Normalize(vector);
        }

        return vector;
    }

    /// <summary>32-bit IEEE numbers, little-endian, as OpenAI's base64 has them.</summary>
    public static byte[] ToBytes(float[] vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (var i = 0; i < vector.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        }

        return bytes;
    }

    /// <summary>The cosine of the angle between two vectors, from -1 to 1.</summary>
    public static double Cosine(float[] left, float[] right) => Math.Clamp(Dot(left, right), -1, 1);

    /// <summary>A vector of zeros stays one: it has no direction.</summary>
    private static void Normalize(float[] vector)
    {
        var norm = Math.Sqrt(Dot(vector, vector));
        for (var i = 0; norm > 0 && i < vector.Length; i++)
        {
            vector[i] = (float)(vector[i] / norm);
        }
    }

    private static double Dot(float[] left, float[] right)
    {
        var sum = 0.0;
        for (var i = 0; i < left.Length; i++)
        {
            sum += (double)left[i] * right[i];
        }

        return sum;
    }
}
