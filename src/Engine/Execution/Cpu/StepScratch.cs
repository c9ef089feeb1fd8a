using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>The memory of a model's row buffers, for steps of up to <c>rowsMax</c> rows.</summary>
internal sealed unsafe class StepScratch : IDisposable
{
    private readonly NativeBuffer?[] _plain;
    private readonly Activations?[] _inputs;

    // What products of single heads read, by their width.
    private readonly Dictionary<int, Activations> _heads = [];

    public StepScratch(ModelGraph graph, NumericClass numericClass, int rowsMax)
    {
        IReadOnlyList<RowBuffer> buffers = graph.Buffers;
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

        foreach (int width in HeadWidths(graph))
        {
            _heads.Add(width, numericClass.CreateActivations(rowsMax, width));
        }
    }

    /// <summary>Bytes of the buffers of a model.</summary>
    public static long ByteCount(ModelGraph graph, NumericClass numericClass, int rowsMax)
    {
        long bytes = 0;
        foreach (int width in HeadWidths(graph))
        {
            bytes += numericClass.ActivationBytes(rowsMax, width);
        }

        foreach (RowBuffer buffer in graph.Buffers)
        {
            bytes += buffer is ProductInput ? numericClass.ActivationBytes(rowsMax, buffer.Width) : (long)rowsMax * buffer.Width * sizeof(float);
        }

        return bytes;
    }

    /// <summary>What products read of a buffer.</summary>
    public Activations Activations(ProductInput input) => _inputs[input.Index]!;

    /// <summary>What a product of a single head reads.</summary>
    public Activations HeadActivations(int width) => _heads[width];

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
        foreach (Activations head in _heads.Values)
        {
            head.Dispose();
        }
    }

    private static HashSet<int> HeadWidths(ModelGraph graph)
    {
        var widths = new HashSet<int>();
        foreach (Operation operation in graph.Operations)
        {
            if (operation is ProjectHeads project)
            {
                widths.Add(project.Heads[0].Inputs);
            }
        }

        return widths;
    }
}
