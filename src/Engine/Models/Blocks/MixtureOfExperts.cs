using Serving.Engine.Formats;

namespace Serving.Engine.Models.Blocks;

/// <summary>In what a family's mixture of experts differs from the plain form.</summary>
internal sealed record ExpertOptions
{
    public required RouterSpec Router { get; init; }

    /// <summary>Elements between an expert's two halves.</summary>
    public required int HiddenWidth { get; init; }

    public GateSpec Gate { get; init; } = GatedMlp.Silu;

    /// <summary>The same of the expert that every token uses; 0: there is none.</summary>
    public int SharedWidth { get; init; }

    /// <summary>Whether the shared expert's part is scaled by a sigmoid of its own.</summary>
    public bool SharedIsGated { get; init; }

    /// <summary>Added to the scores for the choice of experts and not for their weights, or null.</summary>
    public VectorWeight? Correction { get; init; }

    /// <summary>Finds the experts' weights; null: each expert's tensors, or a stack of all, in the plain form.</summary>
    public Func<ModelGraphBuilder, ExpertWeights[]>? Weights { get; init; }
}

/// <summary>Pre-norm MLP of which each token uses some of many (Shazeer et al., arXiv 1701.06538), and one that all use where there is one.</summary>
internal static class MixtureOfExperts
{
    public static void Emit(ModelGraphBuilder graph, RowBuffer residual, ExpertOptions options)
    {
        ModelConfig config = graph.Config;
        ProductInput normed = graph.ProductInput("normed", config.Width);
        RowBuffer scores = graph.Buffer("router scores", options.Router.Experts);
        RowBuffer choice = graph.Buffer("expert choice", 2 * options.Router.Used);
        RowBuffer update = graph.Buffer("update", config.Width);
        ExpertWeights[] weights = options.Weights is { } find ? find(graph) : ExpertTensors.Find(graph, options.Router.Experts, options.HiddenWidth);

        graph.Add(new Normalize(residual, graph.Norm("ffn_norm", config.Width), config.NormEpsilon, normed));
        graph.Add(new Project(normed, [graph.Projection("ffn_gate_inp", options.Router.Experts, config.Width)], scores));
        graph.Add(new ChooseExperts(scores, options.Router, options.Correction, choice));
        graph.Add(new MixExperts(normed, choice, new ExpertSet(config.Width, options.HiddenWidth, options.Router, options.Gate, weights), update));
        graph.Add(new AddTo(update, residual));
        if (options.SharedWidth > 0)
        {
            EmitShared(graph, residual, normed, update, options);
        }
    }

    private static void EmitShared(ModelGraphBuilder graph, RowBuffer residual, ProductInput normed, RowBuffer update, ExpertOptions options)
    {
        GatedMlp.EmitUnit(graph, normed, options.SharedWidth, "_shexp", options.Gate, update);
        if (options.SharedIsGated)
        {
            RowBuffer gate = graph.Buffer("shared gate", 1);
            graph.Add(new Project(normed, [new Projection(SharedGate(graph), null)], gate));
            graph.Add(new ScaleBySigmoid(gate, update));
        }

        graph.Add(new AddTo(update, residual));
    }

    // A matrix of one row at Hugging Face, a vector in GGUF.
    private static MatrixWeight SharedGate(ModelGraphBuilder graph)
    {
        ModelTensor tensor = graph.Demand($"{graph.InLayer("ffn_gate_inp_shexp")}.weight");
        RawTensor row = tensor.AsMatrix();
        return row.Outputs == 1 && row.Inputs == graph.Config.Width
            ? graph.Matrix(tensor.Name, tensor, MatrixData.Mapped(row))
            : throw ModelGraphBuilder.WrongShape(tensor, 1, graph.Config.Width);
    }
}
