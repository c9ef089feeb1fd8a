using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Kernels;

namespace Serving.Kernels.Bench;

/// <summary>Products of plain floats as they lie in the file against those of fp32 panels, turn by turn in one run: one thread, its processor time.</summary>
internal static unsafe class MappedComparison
{
    private const long WorkingSetBytes = 80L << 20;
    private const int Repeats = 9;

    public static void Print(KernelSelection selection)
    {
        using ComputePool pool = new(1);
        using ReadBandwidth read = new();
        double[] reads = Times(() => read.Run(pool), () => read.Run(pool));
        double plain = ReadBandwidth.ByteCount / reads[0] / 1e9;
        Console.WriteLine($"one thread's processor time, {selection.Name}; plain read {plain:F1} GB/s; the best of {Repeats}");
        Console.WriteLine("shape (inputs x outputs), rows: mapped GOP/s, panels GOP/s, mapped/panels, mapped GB/s (share of a plain read)");
        foreach ((int inputs, int outputs) in new[] { (1536, 576), (576, 1536), (2048, 2048) })
        {
            foreach (GgmlType type in new[] { GgmlType.F32, GgmlType.F16, GgmlType.BF16 })
            {
                foreach (int rows in new[] { 1, 8, 64 })
                {
                    Print(selection, pool, plain, type, inputs, outputs, rows);
                }
            }
        }
    }

    private static void Print(KernelSelection selection, ComputePool pool, double plain, GgmlType type, int inputs, int outputs, int rows)
    {
        long bytes = (long)inputs * outputs * BlockDecoder.BlockBytes(type);
        using NativeBuffer raw = new(WorkingSetBytes + bytes);
        Random random = new(1);
        for (long i = 0; i < raw.ByteCount - 3; i += BlockDecoder.BlockBytes(type))
        {
            float value = random.NextSingle() - 0.5f;
            if (type == GgmlType.F32)
            {
                *(float*)(raw.Address + i) = value;
            }
            else
            {
                *(ushort*)(raw.Address + i) = type == GgmlType.F16 ? BitConverter.HalfToUInt16Bits((Half)value) : (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16);
            }
        }

        int count = (int)(WorkingSetBytes / bytes) + 1;
        int panelCount = (int)(WorkingSetBytes / ((long)inputs * outputs * sizeof(float))) + 1;
        var mapped = new WeightMatrix[count];
        var panels = new WeightMatrix[panelCount];
        for (int i = 0; i < count; i++)
        {
            mapped[i] = MappedMatrix.InPlace(new RawTensor("bench", type, outputs, inputs, (nint)raw.Address + (nint)(i * bytes), bytes));
        }

        for (int i = 0; i < panelCount; i++)
        {
            panels[i] = new Fp32Matrix(new RawTensor("bench", type, outputs, inputs, (nint)raw.Address + (nint)(i * bytes), bytes), selection.Kernels);
        }

        using PanelActivations x = new(rows, inputs, quantized: false);
        using NativeBuffer y = new((long)rows * outputs * sizeof(float));
        new Span<float>(x.Values, rows * inputs).Fill(0.5f);
        x.Prepare(rows, inputs, pool);
        double[] seconds = Times(() => Multiply(mapped), () => Multiply(panels));
        double mappedSeconds = seconds[0] / count, panelSeconds = seconds[1] / panelCount;
        double operations = 2e-9 * inputs * outputs * rows;
        Console.WriteLine(
            $"{inputs,4}x{outputs,-4} {type,-4} {rows,3}: {operations / mappedSeconds,6:F1} {operations / panelSeconds,6:F1} {panelSeconds / mappedSeconds,6:F2}"
            + $" {bytes / mappedSeconds / 1e9,6:F1} ({bytes / mappedSeconds / 1e9 / plain:P0})");
        Array.ForEach(panels, matrix => matrix.Dispose());

        void Multiply(WeightMatrix[] ring)
        {
            foreach (WeightMatrix matrix in ring)
            {
                matrix.Multiply(x, rows, (float*)y.Address, outputs, pool);
            }
        }
    }

    /// <summary>The shortest processor time of each of two actions, which take turns: what others do on the machine meets both.</summary>
    private static double[] Times(Action first, Action second)
    {
        double[] best = [double.PositiveInfinity, double.PositiveInfinity];
        for (int i = 0; i <= Repeats; i++)
        {
            for (int which = 0; which < 2; which++)
            {
                TimeSpan start = Environment.CpuUsage.TotalTime;
                (which == 0 ? first : second)();
                best[which] = i == 0 ? best[which] : Math.Min(best[which], (Environment.CpuUsage.TotalTime - start).TotalSeconds);
            }
        }

        return best;
    }
}
