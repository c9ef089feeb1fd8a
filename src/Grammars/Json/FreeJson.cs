using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Json;

/// <summary>
/// JSON that no schema narrows. White space is at most one space after a colon or a comma, so that no model can go on with it for ever; numbers have
/// at most fifteen digits on each side of the point, which a double holds, and two of exponent.
/// </summary>
internal static class FreeJson
{
    public static Expression Comma { get; } = Expression.All(Expression.Literal(","), Expression.Optional(Expression.Literal(" ")));

    public static Expression Colon { get; } = Expression.All(Expression.Literal(":"), Expression.Optional(Expression.Literal(" ")));

    public static Expression Digit { get; } = new Expression.ByteRange((byte)'0', (byte)'9');

    public static Expression NonZeroDigit { get; } = new Expression.ByteRange((byte)'1', (byte)'9');

    public static Expression String { get; } =
        new Rule("string", Expression.All(Expression.Literal("\""), new Expression.Repeat(JsonText.FreeCharacter, 0, null), Expression.Literal("\""))).Reference;

    private static readonly Expression _integerPart = Expression.All(
        Expression.Optional(Expression.Literal("-")),
        Expression.Any(Expression.Literal("0"), Expression.All(NonZeroDigit, new Expression.Repeat(Digit, 0, 14))));

    public static Expression Number { get; } = new Rule("number", Expression.All(
        _integerPart,
        Expression.Optional(Expression.All(Expression.Literal("."), new Expression.Repeat(Digit, 1, 15))),
        Expression.Optional(Expression.All(
            new Expression.Characters(CodePointSet.OfAny("eE")),
            Expression.Optional(new Expression.Characters(CodePointSet.OfAny("+-"))),
            new Expression.Repeat(Digit, 1, 2))))).Reference;

    private static readonly Expression[] _scalars =
        [String, Number, Expression.Literal("true"), Expression.Literal("false"), Expression.Literal("null")];

    /// <summary>By how deep they may nest.</summary>
    private static readonly (Expression Value, Expression Object, Expression Array)[] _levels = Levels();

    public static Expression AnyValue => _levels[^1].Value;

    public static Expression AnyObject => _levels[^1].Object;

    public static Expression AnyArray => _levels[^1].Array;

    /// <summary>Items between brackets, with commas.</summary>
    public static Expression Enclose(string open, Expression item, string close) => Expression.All(
        Expression.Literal(open),
        Expression.Optional(Expression.All(item, new Expression.Repeat(Expression.All(Comma, item), 0, null))),
        Expression.Literal(close));

    private static (Expression Value, Expression Object, Expression Array)[] Levels()
    {
        var levels = new (Expression Value, Expression Object, Expression Array)[GrammarLimits.FreeJsonDepth + 1];
        levels[0] = (new Rule("value", Expression.Any(_scalars)).Reference, Expression.Impossible, Expression.Impossible);
        for (var depth = 1; depth < levels.Length; depth++)
        {
            var inner = levels[depth - 1].Value;
            var anyObject = new Rule("object", Enclose("{", Expression.All(String, Colon, inner), "}")).Reference;
            var anyArray = new Rule("array", Enclose("[", inner, "]")).Reference;
            levels[depth] = (new Rule("value", Expression.Any([.. _scalars, anyObject, anyArray])).Reference, anyObject, anyArray);
        }

        return levels;
    }
}
