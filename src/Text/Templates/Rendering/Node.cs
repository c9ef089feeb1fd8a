namespace Serving.Text.Templates.Rendering;

/// <summary>What follows a statement.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A statement of a parsed template. Nodes are immutable and shared by all renders.</summary>
internal abstract class Node(int offset)
{
    public int Offset => offset;

    public Flow Execute(RenderContext context)
    {
        context.Offset = offset;
        context.Budget.Enter();
        Flow flow = Run(context);
        context.Budget.Exit();
        return flow;
    }

    protected abstract Flow Run(RenderContext context);
}

/// <summary>An expression of a parsed template.</summary>
internal abstract class Expression(int offset)
{
    public int Offset => offset;

    public object Evaluate(RenderContext context)
    {
        context.Budget.Enter();
        object value = Compute(context);
        context.Budget.Exit();
        return value;
    }

    protected abstract object Compute(RenderContext context);
}
