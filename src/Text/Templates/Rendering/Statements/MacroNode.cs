using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Statements;

/// <summary>The parameters and body of a macro or a call block.</summary>
/// <param name="Defaults">Of the last parameters, as many as there are defaults.</param>
/// <param name="Reads">The names the body reads: <c>varargs</c>, <c>kwargs</c> and <c>caller</c> are accepted only by one that reads them.</param>
internal sealed record MacroDefinition(string Name, string[] Parameters, Expression[] Defaults, Node[] Body, IReadOnlySet<string> Reads);

internal sealed class MacroNode(int offset, MacroDefinition definition) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        context.Scope.Set(definition.Name, new MacroValue(definition, context.Scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call(x) macro() %}…{% endcall %}</c>: the macro gets the body as <c>caller</c>.</summary>
internal sealed class CallBlockNode(int offset, MacroDefinition definition, Expressions.CallExpression call) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        object result = call.Call(context, new MacroValue(definition, context.Scope));
        context.Output.Append(PythonText.Str(result, context));
        return Flow.Next;
    }
}
