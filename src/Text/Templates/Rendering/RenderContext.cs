using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering;

/// <summary>The state of one render: variables, the text so far, the budget, and the place in the source for error messages.</summary>
internal sealed class RenderContext
{
    public RenderContext(Scope scope, RenderBudget budget, TimeProvider timeProvider)
    {
        Scope = scope;
        Budget = budget;
        TimeProvider = timeProvider;
        Output = NewBuilder();
    }

    public Scope Scope { get; set; }

    public RenderBudget Budget { get; }

    public TimeProvider TimeProvider { get; }

    public MarkedTextBuilder Output { get; private set; }

    /// <summary>Where in the source the render is, in UTF-16 units.</summary>
    public int Offset { get; set; }

    public MarkedTextBuilder NewBuilder() => new(Budget);

    /// <summary>Runs a body in a new scope under <paramref name="parent"/>.</summary>
    public Flow ExecuteScoped(Node[] body, Scope parent, Action<Scope>? prepare = null)
    {
        Scope outer = Scope;
        Scope = new Scope(parent);
        prepare?.Invoke(Scope);
        Flow flow = Execute(body);
        Scope = outer;
        return flow;
    }

    /// <summary>Runs a body in a new scope and gives what it writes instead of writing it.</summary>
    public MarkedString Capture(Node[] body, Scope parent) => CaptureOutput(() => ExecuteScoped(body, parent));

    public MarkedString CaptureOutput(Action write)
    {
        MarkedTextBuilder outer = Output;
        Output = NewBuilder();
        write();
        MarkedString text = Output.ToMarkedString();
        Output = outer;
        return text;
    }

    public Flow Execute(Node[] body)
    {
        foreach (Node node in body)
        {
            Flow flow = node.Execute(this);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }
}
