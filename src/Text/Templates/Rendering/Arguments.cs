using System.Numerics;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering;

/// <summary>The arguments of one call of a function, method, filter, test or macro.</summary>
internal sealed class Arguments(object[] positional, KeyValuePair<string, object>[] named)
{
    public static readonly Arguments None = new([], []);

    public object[] Positional => positional;

    public KeyValuePair<string, object>[] Named => named;

    /// <summary>Puts the arguments in the order of <paramref name="names"/>; one that was not given is null.</summary>
    public object?[] Bind(string function, int required, params ReadOnlySpan<string> names)
    {
        if (positional.Length > names.Length)
        {
            throw new RenderException($"{function}() takes at most {names.Length} argument(s), {positional.Length} given");
        }

        var bound = new object?[names.Length];
        positional.CopyTo(bound, 0);
        foreach ((string name, object value) in named)
        {
            int index = names.IndexOf(name);
            if (index < 0)
            {
                throw new RenderException($"{function}() got an unexpected keyword argument '{name}'");
            }

            if (bound[index] is not null)
            {
                throw new RenderException($"{function}() got multiple values for argument '{name}'");
            }

            bound[index] = value;
        }

        for (int i = 0; i < required; i++)
        {
            if (bound[i] is null)
            {
                throw new RenderException($"{function}() missing required argument '{names[i]}'");
            }
        }

        return bound;
    }

    /// <summary>The same without the first <paramref name="count"/> positional ones.</summary>
    public Arguments Skip(int count) => new(positional[count..], named);

    public static int Int(object? value, int otherwise) => value switch
    {
        null => otherwise,
        _ => Numbers.ToIndex(value),
    };

    /// <summary>As <see cref="Int(object?, int)"/>, where None stands for the default too.</summary>
    public static int IntOrNone(object? value, int otherwise) => value is NoneValue ? otherwise : Int(value, otherwise);

    public static MarkedString Text(object value, string what) =>
        value as MarkedString ?? throw new RenderException($"{what} must be str, not {TypeNames.Of(value)}");

    public static bool Flag(object? value, bool otherwise = false) => value is null ? otherwise : Operators.IsTrue(value);

    public static BigInteger Integer(object value) => value switch
    {
        BigInteger number => number,
        bool flag => flag ? BigInteger.One : BigInteger.Zero,
        UndefinedValue undefined => throw undefined.Fail(),
        _ => throw new RenderException($"'{TypeNames.Of(value)}' object cannot be interpreted as an integer"),
    };
}
