using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.PackedWeights;

/// <summary>Packs matrices with all threads of a pool.</summary>
internal sealed unsafe class MatrixPacker(ComputePool pool)
{
    // Groups that a thread takes at a time: few enough for an even split, enough that taking them costs nothing.
    private const int GroupsAtOnce = 4;

    /// <summary><see cref="PackedForm.Pack"/>, with all threads.</summary>
    public void Pack(in RawTensor weights, PackedForm form, int first, int outputs, byte* destination)
    {
        Work work = new()
        {
            Weights = weights,
            Form = form,
            First = first,
            Outputs = outputs,
            Destination = destination,
        };
        pool.EnterStep();
        try
        {
            pool.Run(ref work);
        }
        finally
        {
            pool.LeaveStep();
        }
    }

    private struct Work : IParallelWork
    {
        public RawTensor Weights;
        public PackedForm Form;
        public int First;
        public int Outputs;
        public byte* Destination;
        private long _next;

        public void Execute(int thread, int threadCount)
        {
            const int Run = GroupsAtOnce * PackedForm.GroupOutputs;
            long begin = Form.BytesOf(in Weights, First);
            while (true)
            {
                long start = Interlocked.Add(ref _next, Run) - Run;
                if (start >= Outputs)
                {
                    return;
                }

                int first = First + (int)start;
                Form.Pack(in Weights, first, (int)Math.Min(Run, Outputs - start), Destination + (Form.BytesOf(in Weights, first) - begin));
            }
        }
    }
}
