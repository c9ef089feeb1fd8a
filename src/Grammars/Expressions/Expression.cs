using System.Text;
using Serving.Grammars.Automata;
using Serving.Grammars.Characters;

namespace Serving.Grammars.Expressions;

/// <summary>
/// What a grammar is made of: languages over bytes. Rules make recursion; everything else is regular. Trees may share parts, and are not changed.
/// </summary>
internal abstract record Expression
{
    /// <summary>The empty text.</summary>
    public static Expression Nothing { get; } = new Sequence([]);

    /// <summary>No text at all: what cannot be satisfied.</summary>
    public static Expression Impossible { get; } = new Choice([]);

    /// <summary>Bytes as they are.</summary>
    public sealed record Bytes(byte[] Value) : Expression;

    /// <summary>One byte of a range.</summary>
    public sealed record ByteRange(byte First, byte Last) : Expression;

    /// <summary>One character of a set, in UTF-8.</summary>
    public sealed record Characters(CodePointSet Set) : Expression;

    public sealed record Sequence(IReadOnlyList<Expression> Items) : Expression;

    public sealed record Choice(IReadOnlyList<Expression> Alternatives) : Expression;

    /// <param name="Max">Null: without end.</param>
    public sealed record Repeat(Expression Item, int Min, int? Max) : Expression;

    /// <summary>
    /// A repetition that is counted while matching instead of being written out, so that its bounds cost nothing. The item is not empty, and where
    /// an item may end, no other way through it goes on.
    /// </summary>
    public sealed record Counted(Expression Item, int Min, int? Max) : Expression;

    public sealed record Reference(Rule Rule) : Expression;

    /// <summary>Texts that are in both. Neither part may recurse.</summary>
    public sealed record Intersection(Expression Left, Expression Right) : Expression;

    /// <summary>Texts of the left part that are not in the right one. Neither may recurse.</summary>
    public sealed record Difference(Expression Left, Expression Right) : Expression;

    /// <summary>A language that was built as an automaton, without rules.</summary>
    public sealed record Built(Automaton Automaton) : Expression;

    /// <summary>Nodes and what lies on the way from one to another (null: nothing). The way starts at node 0 and ends at the last one.</summary>
    public sealed record Graph(int NodeCount, IReadOnlyList<(int From, Expression? On, int To)> Edges) : Expression;

    public static Expression Literal(string text) => new Bytes(Encoding.UTF8.GetBytes(text));

    public static Expression Any(params IReadOnlyList<Expression> alternatives) => alternatives.Count == 1 ? alternatives[0] : new Choice(alternatives);

    public static Expression All(params IReadOnlyList<Expression> items) => items.Count == 1 ? items[0] : new Sequence(items);

    public static Expression Optional(Expression item) => new Choice([item, Nothing]);

    /// <summary>One of many texts, as a tree of their common beginnings: a choice of thousands stays one state wide.</summary>
    public static Expression AnyLiteral(IEnumerable<byte[]> texts) => new Built(Automaton.OfLiterals(texts));
}
