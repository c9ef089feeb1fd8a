namespace Serving.Gateway.Tests.Support;

/// <summary>A field of a JSON body, with values that are wrong in it.</summary>
internal sealed record BodyField(string Name, params (Mistake Mistake, string Value)[] Wrong)
{
    /// <summary>Whether a body without the field is wrong.</summary>
    public bool IsRequired { get; init; }

    public static BodyField TextField(string name) => new(name, [.. Types("7", "true", "[]", "{}"), (Mistake.LoneSurrogate, "\"\\ud800\"")]);

    public static BodyField Word(string name) => new(name, [.. TextField(name).Wrong, (Mistake.UnknownWord, "\"nothing\"")]);

    public static BodyField Number(string name, params string[] outside) =>
        new(name, [.. Types("\"1\"", "true", "[]", "{}"), (Mistake.Overflow, "1e999"), (Mistake.Overflow, "-1e999"), .. Of(Mistake.OutOfRange, outside)]);

    public static BodyField Integer(string name, params string[] outside) =>
        new(name, [
            .. Types("\"1\"", "true", "[]", "{}", "1.5"),
            .. Of(Mistake.Overflow, "9223372036854775808", "-9223372036854775809", "99999999999999999999", "1e999"),
            .. Of(Mistake.OutOfRange, outside)]);

    public static BodyField Flag(string name) => new(name, Types("1", "\"true\"", "[]", "{}"));

    public static BodyField ListField(string name) => new(name, Types("7", "true", "\"x\"", "{}"));

    public static BodyField Object(string name) => new(name, Types("7", "true", "\"x\"", "[]"));

    /// <summary>One that is refused whatever it is, but for null.</summary>
    public static BodyField Never(string name) => new(name, [.. Types("7", "\"x\"", "[7]", "{\"a\":1}")]);

    public static BodyField OfTypes(string name, params string[] wrong) => new(name, Types(wrong));

    /// <summary>The same, where null and nothing are wrong too.</summary>
    public BodyField Required() => this with { IsRequired = true, Wrong = [.. Wrong, (Mistake.Null, "null")] };

    public BodyField And(Mistake mistake, params string[] values) => this with { Wrong = [.. Wrong, .. Of(mistake, values)] };

    private static (Mistake, string)[] Types(params string[] values) => Of(Mistake.WrongType, values);

    private static (Mistake, string)[] Of(Mistake mistake, params string[] values) => [.. values.Select(value => (mistake, value))];
}
