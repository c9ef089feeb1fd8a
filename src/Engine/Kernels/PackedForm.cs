using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>
/// A layout that weights are packed into before products read them. It depends on the weights alone, never on where the bytes will lie nor on the
/// instruction set, so that what one process has packed another may map (<see cref="PackedMemory"/>).
/// </summary>
internal abstract unsafe class PackedForm
{
    /// <summary>Outputs of a group: packing may begin at a multiple of it.</summary>
    public const int GroupOutputs = PanelProduct.PanelOutputs;

    /// <summary>
    /// Names the layout and its version: <c>nibble-panels-1</c>. Whoever changes a layout's bytes raises its version, so that files which hold the old ones are packed anew.
    /// </summary>
    public abstract string Name { get; }

    /// <summary>Bytes of a whole matrix.</summary>
    public long ByteCount(in RawTensor weights) => BytesOf(in weights, weights.Outputs);

    /// <summary>Bytes that the first <paramref name="outputs"/> outputs take, a group that is begun as a whole one: where output <paramref name="outputs"/> lies.</summary>
    public abstract long BytesOf(in RawTensor weights, int outputs);

    /// <summary>Packs a run of outputs.</summary>
    /// <param name="first">The first of them, a multiple of <see cref="GroupOutputs"/>.</param>
    /// <param name="outputs">How many.</param>
    /// <param name="destination">Where the first lies: zeroed, and room for whole groups.</param>
    public abstract void Pack(in RawTensor weights, int first, int outputs, byte* destination);
}
