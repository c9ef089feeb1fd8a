using Serving.Engine.Formats;

namespace Serving.Kernels.Bench;

/// <summary>A matrix shape of a 135M model: <c>576x1536 Q4_1</c> has 576 inputs and 1536 outputs.</summary>
internal static class ProductShape
{
    public static readonly string[] All = ["576x1536 Q4_1", "1536x576 Q4_1", "576x49152 Q8_0"];

    public static (int Inputs, int Outputs, GgmlType Type) Parse(string shape)
    {
        string[] parts = shape.Split('x', ' ');
        return (int.Parse(parts[0]), int.Parse(parts[1]), Enum.Parse<GgmlType>(parts[2]));
    }
}
