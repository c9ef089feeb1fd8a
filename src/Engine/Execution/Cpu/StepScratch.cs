using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>The memory of a model's row buffers, for steps of up to <c>rowsMax</c> rows.</summary>
internal sealed unsafe class StepScratch : IDisposable
{
    private readonly NativeBuffer?[] _plain;
    private readonly Activations?[] _inputs;

    public StepScratch(IReadOnlyList<RowBuffer> buffers, NumericClass numericClass, int rowsMax)
    {
        _plain = new NativeBuffer?[buffers.Count];
        _inputs = new Activations?[buffers.Count];
        for (int i = 0; i < buffers.Count; i++)
        {
            if (buffers[i] is ProductInput)
            {
                _inputs[i] = numericClass.CreateActivations(rowsMax, buffers[i].Width);
            }
            else
            {
                _plain[i] = new NativeBuffer((long)rowsMax * buffers[i].Width * sizeof(float));
            }
        }
    }

    /// <summary>Bytes of the buffers of a model.</summary>
    public static long ByteCount(IReadOnlyList<RowBuffer> buffers, NumericClass numericClass, int rowsMax)
    {
        long bytes = 0;
        foreach (RowBuffer buffer in buffers)
        {
            bytes += buffer is ProductInput ? numericClass.ActivationBytes(rowsMax, buffer.Width) : (long)rowsMax * buffer.Width * sizeof(float);
        }

        return bytes;
    }

    /// <summary>What products read of a buffer.</summary>
    public Activations Activations(ProductInput input) => _inputs[input.Index]!;

    /// <summary>The address of a row.</summary>
    public float* Row(RowBuffer buffer, int row)
    {
        float* start = _inputs[buffer.Index] is { } input ? input.Values : (float*)_plain[buffer.Index]!.Address;
        return start + ((long)row * buffer.Width);
    }

    public void Dispose()
    {
        Array.ForEach(_plain, buffer => buffer?.Dispose());
        Array.ForEach(_inputs, input => input?.Dispose());
    }
}
