namespace Serving.Grammars.Json;

/// <summary>An end of a range of numbers.</summary>
internal readonly record struct NumberBound(decimal Value, bool IsExclusive)
{
    /// <summary>The narrower of two lower ends.</summary>
    public static NumberBound Higher(NumberBound? left, NumberBound right) =>
        left is { } other && (other.Value > right.Value || (other.Value == right.Value && other.IsExclusive)) ? other : right;

    /// <summary>The narrower of two upper ends.</summary>
    public static NumberBound Lower(NumberBound? left, NumberBound right) =>
        left is { } other && (other.Value < right.Value || (other.Value == right.Value && other.IsExclusive)) ? other : right;

    /// <summary>The least integer that a lower end admits.</summary>
    public decimal Ceiling => IsExclusive ? decimal.Floor(Value) + 1 : decimal.Ceiling(Value);

    /// <summary>The greatest integer that an upper end admits.</summary>
    public decimal Floor => IsExclusive ? decimal.Ceiling(Value) - 1 : decimal.Floor(Value);
}
