using System.Diagnostics;
using Serving.Embeddings;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>
/// Our products of a prompt chunk's rows taking turns with those of other libraries: ONNX Runtime's integer ones, and TorchSharp's where this was built with
/// <c>-p:Torch=cpu</c> (hundreds of megabytes of packages). GOP/s; a multiply-add is two.
/// </summary>
internal static class OtherProducts
{
    private const int Repeats = 9;
    private static readonly int[] _rowCounts = [32, 128, 512];

    /// <summary>So long a product is repeated for one measurement: what the others' threads still do after their turn is little of it.</summary>
    private static readonly TimeSpan _turn = TimeSpan.FromMilliseconds(40);

    public static void Print(KernelSelection selection)
    {
        OnnxTelemetry.Disable();
        using ComputePool pool = new(Environment.ProcessorCount);
        Int8BlockNumericClass numericClass = new(selection);
        Console.WriteLine($"{ThroughputTable.ProcessorName()}, {pool.ThreadCount} threads, {selection.Name}; GOP/s, medians of {Repeats}");
        Console.WriteLine($"product, rows      {string.Join(' ', Names().Select(name => $"{name,14}"))}");
        foreach ((int inputs, int outputs) in ((int, int)[])[(576, 1536), (1536, 576), (2048, 2048)])
        {
            foreach (int rows in _rowCounts)
            {
                using MatrixRing fourBits = new(numericClass, GgmlType.Q4_1, inputs, outputs, rows, copiesMax: 1);
                using MatrixRing bytes = new(numericClass, GgmlType.Q8_0, inputs, outputs, rows, copiesMax: 1);
                using OnnxProduct onnxFourBits = OnnxProduct.Of4Bits(rows, inputs, outputs, pool.ThreadCount);
                using OnnxProduct onnxBytes = OnnxProduct.OfBytes(rows, inputs, outputs, pool.ThreadCount);
                List<Action> products = [() => fourBits.MultiplyNext(pool), () => bytes.MultiplyNext(pool), onnxFourBits.Multiply, onnxBytes.Multiply];
#if TORCH
                using Torch.TorchProduct torchHalves = Torch.TorchProduct.OfBFloat16(rows, inputs, outputs, pool.ThreadCount);
                using Torch.TorchProduct torchFloats = Torch.TorchProduct.OfFloat(rows, inputs, outputs, pool.ThreadCount);
                products.AddRange([torchHalves.Multiply, torchFloats.Multiply]);
#endif
                double[] seconds = Medians(products);
                Console.WriteLine($"{$"{inputs}→{outputs}, {rows}",-18} {string.Join(' ', seconds.Select(time => $"{2e-9 * inputs * outputs * rows / time,14:F0}"))}");
            }
        }
    }

    private static string[] Names()
    {
        string[] always = ["ours Q4_1", "ours Q8_0", "MatMulNBits 4", "MatMulInteger"];
#if TORCH
        return [.. always, "torch bf16", "torch fp32"];
#else
        return always;
#endif
    }

    /// <summary>Seconds of one product of each.</summary>
    private static double[] Medians(List<Action> products)
    {
        double[][] seconds = [.. products.Select(_ => new double[Repeats])];
        products.ForEach(product => Turn(product));
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            for (int i = 0; i < products.Count; i++)
            {
                seconds[i][repeat] = Turn(products[i]);
            }
        }

        return Array.ConvertAll(seconds, times =>
        {
            Array.Sort(times);
            return times[Repeats / 2];
        });
    }

    private static double Turn(Action product)
    {
        product();
        long start = Stopwatch.GetTimestamp();
        int count = 0;
        do
        {
            product();
            count++;
        }
        while (Stopwatch.GetElapsedTime(start) < _turn);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / count;
    }
}
