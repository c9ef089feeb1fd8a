namespace Serving.Grammars.Expressions;

/// <summary>A named part of a grammar that others refer to, itself included.</summary>
/// <param name="name">What messages call it.</param>
internal sealed class Rule(string name)
{
    public Rule(string name, Expression body)
        : this(name) => Body = body;

    public string Name => name;

    /// <summary>Set once, after those that refer to it may already exist.</summary>
    public Expression? Body { get; set; }

    public Expression Reference => new Expression.Reference(this);
}
