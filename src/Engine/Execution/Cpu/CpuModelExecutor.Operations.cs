using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>How each operation runs. Products and attention divide themselves over the threads; the operations between them are divided here, by rows.</summary>
public sealed unsafe partial class CpuModelExecutor
{
    /// <summary>From this many rows on it pays to wake the other threads for a few microseconds a row.</summary>
    private const int SharedRowsMin = 2;

    /// <summary>Whether an operation makes each row of the step from that row alone.</summary>
    private static bool IsRowWise(Operation operation) => operation is not (Project or ProjectLogits or ProjectHeads or MixExperts or Attend);

    /// <summary>What an operation's products read, begun for these rows; null where it has none or prepares them itself.</summary>
    private Activations? BeginInput(Operation operation, int rows)
    {
        ProductInput? input = operation switch
        {
            Project project => project.From,
            ProjectLogits project => project.From,
            MixExperts mix => mix.From,
            _ => null,
        };
        if (input is null)
        {
            return null;
        }

        Activations activations = _scratch.Activations(input);
        activations.Begin(rows, input.Width);
        return activations;
    }

    private void Run(Operation operation, int rows)
    {
        switch (operation)
        {
            case Project project:
                RunProject(project, rows);
                break;
            case ProjectLogits project:
                RunProjectLogits(project, rows);
                break;
            case ProjectHeads project:
                RunProjectHeads(project, rows);
                break;
            case MixExperts mix:
                _experts.MixerOf(mix.Set).Run(
                    mix.Set, _weights, _scratch.Activations(mix.From), _scratch.Row(mix.Choice, 0), rows, _scratch.Row(mix.To, 0), _pool);
                break;
            case Attend attend:
                _attentions[attend.Attention.Index].Run(
                    attend.Layer, _plan, _scratch.Row(attend.From, 0), attend.From.Width, _scratch.Row(attend.To, 0), attend.To.Width, _kv, _pool);
                break;
            default:
                throw new UnreachableException($"{operation.GetType().Name} works row by row.");
        }
    }

    private void RunProject(Project project, int rows)
    {
        Activations input = _scratch.Activations(project.From);
        float* output = _scratch.Row(project.To, 0);
        for (int i = 0; i < project.Parts.Count; i++)
        {
            MatrixWeight weight = project.Parts[i].Weight;
            _pool.Products.Add(_weights[weight], input, 0, rows, output, project.To.Width);
            output += weight.Outputs;
        }

        _pool.Products.Run();
        output = _scratch.Row(project.To, 0);
        for (int i = 0; i < project.Parts.Count; i++)
        {
            (MatrixWeight weight, VectorWeight? bias) = project.Parts[i];
            if (bias is not null)
            {
                RowMath.AddToRows(_weights[bias], output, project.To.Width, rows);
            }

            output += weight.Outputs;
        }
    }

    private void RunProjectLogits(ProjectLogits project, int rows)
    {
        // The plan's logits are pinned for life.
        var logits = (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_plan.Logits));
        _weights[project.Weight].Multiply(_scratch.Activations(project.From), rows, logits, _plan.VocabularySize, _pool);
        if (project.Softcap != 0)
        {
            RowMath.Softcap(logits, project.Softcap, (long)rows * _plan.VocabularySize);
        }
    }

    private void RunProjectHeads(ProjectHeads project, int rows)
    {
        int inputs = project.Heads[0].Inputs;
        Activations head = _scratch.HeadActivations(inputs);
        for (int h = 0; h < project.Heads.Count; h++)
        {
            for (int row = 0; row < rows; row++)
            {
                float* from = _scratch.Row(project.From, row) + (h * project.FromStride);
                new ReadOnlySpan<float>(from, inputs).CopyTo(new Span<float>(head.Values + ((long)row * inputs), inputs));
            }

            head.Prepare(rows, inputs, _pool);
            _weights[project.Heads[h]].Multiply(head, rows, _scratch.Row(project.To, 0) + (h * project.ToStride), project.To.Width, _pool);
        }
    }

    private void RunShared(RowStretch stretch)
    {
        if (stretch.Rows < SharedRowsMin)
        {
            stretch.Execute(0, 1);
        }
        else
        {
            _pool.Run(ref stretch);
        }
    }

    private void RunRows(Operation operation, int start, int count)
    {
        switch (operation)
        {
            case EmbedTokens embed:
                for (int row = start; row < start + count; row++)
                {
                    float* embedding = _scratch.Row(embed.To, row);
                    _weights.CopyRow(embed.Table, _rows.Tokens[row], new Span<float>(embedding, embed.To.Width));
                    if (embed.Scale != 1)
                    {
                        RowMath.Scale(embedding, embed.Scale, embed.To.Width);
                    }
                }

                break;
            case Normalize norm:
                RmsNorm.Apply(
                    _scratch.Row(norm.From, start), norm.From.Width, _weights[norm.Weight], norm.Epsilon, _scratch.Row(norm.To, start), norm.To.Width, count);
                break;
            case Rotate rotate:
                _ropes[rotate.Rope.Index].Apply(
                    _scratch.Row(rotate.Of, start) + rotate.Column, rotate.Of.Width, rotate.Heads, rotate.Stride, _rows.Positions.Slice(start, count));
                break;
            case NormalizeHeads norm:
                for (int row = start; row < start + count; row++)
                {
                    float* heads = _scratch.Row(norm.Of, row) + norm.Column;
                    RmsNorm.Apply(heads, norm.Weight.Length, _weights[norm.Weight], norm.Epsilon, heads, norm.Weight.Length, norm.Heads);
                }

                break;
            case Clamp clamp:
                for (int row = start; row < start + count; row++)
                {
                    RowMath.Clamp(_scratch.Row(clamp.Of, row) + clamp.Column, clamp.Limit, clamp.Width);
                }

                break;
            case CopyHeads copy:
                for (int row = start; row < start + count; row++)
                {
                    CopyHeadsOfRow(copy, _scratch.Row(copy.From, row), _scratch.Row(copy.To, row));
                }

                break;
            case ChooseExperts choose:
                for (int row = start; row < start + count; row++)
                {
                    ChooseExpertsOfRow(choose, row);
                }

                break;
            case ScaleBySigmoid scale:
                for (int row = start; row < start + count; row++)
                {
                    RowMath.Scale(_scratch.Row(scale.To, row), 1 / (1 + VectorMath.Exp(-*_scratch.Row(scale.From, row))), scale.To.Width);
                }

                break;
            case StoreKv store:
                ReadOnlySpan<BlockId> blocks = _rows.BlocksOf(KvLayout.Groups.GroupOf(store.Layer));
                for (int row = start; row < start + count; row++)
                {
                    float* values = _scratch.Row(store.From, row);
                    _kv.Write(store.Layer, blocks[row], _rows.Slot(row), values + store.KeyColumn, values + store.ValueColumn);
                }

                break;
            case Gate gate:
                int width = gate.To.Width;
                float* gateUp = _scratch.Row(gate.From, start);
                GatedUnit.Apply(gate.Unit, gateUp, gate.From.Width, gateUp + width, gate.From.Width, _scratch.Row(gate.To, start), width, count, width);
                break;
            case AddTo add:
                RowMath.Add(_scratch.Row(add.From, start), _scratch.Row(add.To, start), (long)count * add.To.Width);
                break;
            case SelectLogitRows select:
                for (int row = start; row < start + count; row++)
                {
                    var from = new ReadOnlySpan<float>(_scratch.Row(select.From, _plan.LogitRows[row]), select.From.Width);
                    from.CopyTo(new Span<float>(_scratch.Row(select.To, row), select.To.Width));
                }

                break;
            default:
                throw new UnreachableException($"{operation.GetType().Name} has no implementation on the processor.");
        }
    }

    /// <summary>What the head does first, selecting rows and the last norm, for every row of the sequences that want their hidden states.</summary>
    private void SumHidden(StepPlan plan)
    {
        foreach (ref readonly StepSequence sequence in plan.Sequences)
        {
            if (sequence.HiddenSum is { } sum)
            {
                SumHidden(in sequence, sum);
            }
        }
    }

    private void SumHidden(in StepSequence sequence, float[] sum)
    {
        if (sequence.ComputedTokens == 0)
        {
            Array.Clear(sum);
        }

        var (select, norm) = ((SelectLogitRows)_graph.Head[0], (Normalize)_graph.Head[1]);
        int width = norm.To.Width;
        float* normed = _scratch.Row(norm.To, 0);
        RmsNorm.Apply(
            _scratch.Row(select.From, sequence.RowStart), select.From.Width, _weights[norm.Weight], norm.Epsilon, normed, width, sequence.RowCount);
        fixed (float* total = sum)
        {
            for (int row = 0; row < sequence.RowCount; row++)
            {
                RowMath.Add(normed + ((long)row * width), total, width);
            }
        }
    }

    private static void CopyHeadsOfRow(CopyHeads copy, float* from, float* to)
    {
        for (int head = 0; head < copy.Heads; head++)
        {
            new ReadOnlySpan<float>(from + copy.FromColumn + (head * copy.FromStride), copy.Width)
                .CopyTo(new Span<float>(to + copy.ToColumn + (head * copy.ToStride), copy.Width));
        }
    }

    private void ChooseExpertsOfRow(ChooseExperts choose, int row)
    {
        Span<float> scratch = stackalloc float[ExpertRouter.ScratchLength(choose.Router)];
        var logits = new ReadOnlySpan<float>(_scratch.Row(choose.From, row), choose.From.Width);
        var choice = new Span<float>(_scratch.Row(choose.To, row), choose.To.Width);
        ReadOnlySpan<float> correction = choose.Correction is { } weight ? _weights[weight] : [];
        ExpertRouter.Choose(choose.Router, logits, correction, choice[..choose.Router.Used], choice[choose.Router.Used..], scratch);
    }

    /// <summary>Operations that work row by row, and the input of the products after them, their rows divided over the threads in runs.</summary>
    private readonly struct RowStretch(CpuModelExecutor executor, IReadOnlyList<Operation> operations, int first, int end, Activations? input, int rows)
        : IParallelWork
    {
        public int Rows => rows;

        public void Execute(int thread, int threadCount)
        {
            int start = (int)((long)rows * thread / threadCount);
            int count = (int)((long)rows * (thread + 1) / threadCount) - start;
            if (count == 0)
            {
                return;
            }

            for (int i = first; i < end; i++)
            {
                executor.RunRows(operations[i], start, count);
            }

            input?.PrepareRows(start, count);
        }
    }
}
