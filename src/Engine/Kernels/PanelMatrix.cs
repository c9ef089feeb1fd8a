using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>A weight matrix in panels of 16 outputs; the last is filled up with zero weights. Threads take panels as they come.</summary>
internal abstract unsafe class PanelMatrix : WeightMatrix
{
    // Rows that the last, partly filled panel computes at a time, through a buffer on the stack.
    private const int BufferedRows = 64;

    private readonly PanelForm _form;
    private readonly PackedMemory _panels;
    private readonly long _panelBytes;
    private readonly delegate*<in PanelProduct, int, float*, int, int, int, void> _kernel;

    /// <param name="weights">The raw matrix; of its rows nothing is read.</param>
    /// <param name="form">How the panels look.</param>
    /// <param name="memory">The panels; the matrix disposes it.</param>
    protected PanelMatrix(
        in RawTensor weights, PanelForm form, PackedMemory memory, delegate*<in PanelProduct, int, float*, int, int, int, void> kernel, string kernelName)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(memory.ByteCount, form.ByteCount(in weights), nameof(memory));
        Outputs = weights.Outputs;
        Inputs = weights.Inputs;
        KernelName = kernelName;
        PanelCount = PanelForm.PanelCount(Outputs);
        _form = form;
        _panels = memory;
        _panelBytes = form.PanelBytes(Inputs);
        _kernel = kernel;
    }

    public sealed override int Outputs { get; }

    public sealed override int Inputs { get; }

    public sealed override long ResidentBytes => _panels.IsShared ? 0 : _panels.ByteCount;

    public sealed override long MappedBytes => _panels.IsShared ? _panels.ByteCount : 0;

    public sealed override string KernelName { get; }

    private int PanelCount { get; }

    public sealed override void Multiply(Activations x, int rows, float* y, int yStride, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfLessThan(yStride, Outputs);
        byte* rowsStart = Source(x, rows, out long strideBytes);
        Work work = new()
        {
            Matrix = this,
            Product = new PanelProduct
            {
                Weights = _panels.Address,
                PanelBytes = _panelBytes,
                Inputs = Inputs,
                X = rowsStart,
                XStrideBytes = strideBytes,
                Y = y,
                YStride = yStride,
                Rows = rows,
            },
            PanelsAtOnce = Math.Max(1, PanelCount / (pool.ThreadCount * 8)),
        };
        pool.Run(ref work);
    }

    public sealed override void CopyRow(int output, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)Outputs, nameof(output));
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Inputs);
        byte* panel = _panels.Address + (output / PanelProduct.PanelOutputs * _panelBytes);
        _form.UnpackRow(panel, output % PanelProduct.PanelOutputs, destination);
    }

    public sealed override void Dispose() => _panels.Dispose();

    /// <summary>The rows in the form that the kernel reads.</summary>
    protected abstract byte* Source(Activations x, int rows, out long strideBytes);

    private void MultiplyPanel(in PanelProduct product, int panel)
    {
        int firstOutput = panel * PanelProduct.PanelOutputs;
        if (firstOutput + PanelProduct.PanelOutputs <= Outputs)
        {
            _kernel(in product, panel, product.Y + firstOutput, product.YStride, 0, product.Rows);
            return;
        }

        float* buffer = stackalloc float[BufferedRows * PanelProduct.PanelOutputs];
        int used = Outputs - firstOutput;
        for (int start = 0; start < product.Rows; start += BufferedRows)
        {
            int rows = Math.Min(BufferedRows, product.Rows - start);
            _kernel(in product, panel, buffer, PanelProduct.PanelOutputs, start, rows);
            for (int row = 0; row < rows; row++)
            {
                new ReadOnlySpan<float>(buffer + (row * PanelProduct.PanelOutputs), used)
                    .CopyTo(new Span<float>(product.Y + ((long)(start + row) * product.YStride) + firstOutput, used));
            }
        }
    }

    private struct Work : IParallelWork
    {
        public PanelMatrix Matrix;
        public PanelProduct Product;
        public int PanelsAtOnce;
        private int _next;

        public void Execute(int thread, int threadCount)
        {
            int panels = Matrix.PanelCount;
            while (true)
            {
                int end = Interlocked.Add(ref _next, PanelsAtOnce);
                int start = end - PanelsAtOnce;
                if (start >= panels)
                {
                    return;
                }

                for (int panel = start; panel < Math.Min(end, panels); panel++)
                {
                    Matrix.MultiplyPanel(in Product, panel);
                }
            }
        }
    }
}
