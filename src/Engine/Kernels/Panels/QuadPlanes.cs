namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// How the bits of a block's 32 inputs × 16 outputs lie in a panel. A plane holds the same few bits of every quant: 1, 2 or 4. A register of it, 64 bytes, has
/// a quad (four neighbouring inputs) of every output in its lowest bits, the next quad in the bits above, and so on, so that a shift and a mask unpack a quad.
/// </summary>
internal static unsafe class QuadPlanes
{
    /// <summary>Bytes of a register's worth of all 16 outputs.</summary>
    public const int RegisterBytes = PanelProduct.PanelOutputs * QuantizedRow.QuadInputs;

    /// <summary>Bytes of a block's plane of one bit.</summary>
    public const int BitBytes = QuantizedRow.BlockInputs * PanelProduct.PanelOutputs / 8;

    /// <summary>Adds the bits of a block's 32 inputs of one output to a plane that was zero.</summary>
    /// <param name="values">Numbers whose lowest <paramref name="bits"/> are meant.</param>
    public static void Write(byte* plane, int bits, int lane, ReadOnlySpan<byte> values)
    {
        for (int input = 0; input < values.Length; input++)
        {
            *At(plane, bits, lane, input, out int shift) |= (byte)((values[input] & ((1 << bits) - 1)) << shift);
        }
    }

    /// <summary>The bits of one input of one output.</summary>
    public static int Read(byte* plane, int bits, int lane, int input) => (*At(plane, bits, lane, input, out int shift) >> shift) & ((1 << bits) - 1);

    private static byte* At(byte* plane, int bits, int lane, int input, out int shift)
    {
        int quad = input / QuantizedRow.QuadInputs;
        int quadsInRegister = 8 / bits;
        shift = quad % quadsInRegister * bits;
        return plane + (quad / quadsInRegister * RegisterBytes) + (lane * QuantizedRow.QuadInputs) + (input % QuantizedRow.QuadInputs);
    }
}
