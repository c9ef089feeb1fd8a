using System.Security.Cryptography;
using System.Text;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;

namespace Serving.Engine.Execution;

/// <summary>
/// Names everything that the bytes of a KV cache depend on, so that workers with equal fingerprints can hand blocks over. Weights enter by samples:
/// what tells apart two files that people really have is the header, the length and some bytes of each tensor, and reading all of a large model would take minutes.
/// </summary>
internal static class KvFingerprint
{
    private const int SampleBytes = 1024;

    public static string Compute(ModelSource source, NumericClass numericClass, KvCacheLayout layout)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        source.AppendIdentity(hash);

        // Classes are bit-identical across instruction sets, which stand after the slash.
        string className = numericClass.Name.Split('/')[0];
        hash.AppendData(Encoding.UTF8.GetBytes($"|{className}|{KvCacheLayout.Arrangement}|{layout}"));
        foreach (ModelTensor tensor in source.Tensors)
        {
            int count = (int)Math.Min(SampleBytes, tensor.ByteCount);
            AppendSample(hash, tensor, 0, count);
            AppendSample(hash, tensor, (tensor.ByteCount - count) / 2, count);
            AppendSample(hash, tensor, tensor.ByteCount - count, count);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static unsafe void AppendSample(IncrementalHash hash, ModelTensor tensor, long start, int count) =>
        hash.AppendData(new ReadOnlySpan<byte>((byte*)tensor.Data + start, count));
}
