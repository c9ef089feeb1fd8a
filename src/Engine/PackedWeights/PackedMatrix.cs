using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.PackedWeights;

/// <summary>A matrix that is packed, and where it lies among the others.</summary>
/// <param name="Weight">The matrix.</param>
/// <param name="Form">The layout that it is packed into.</param>
/// <param name="Offset">Its first byte, counted from the first matrix's: a multiple of <see cref="NativeBuffer.Alignment"/>.</param>
/// <param name="ByteCount">Bytes of it.</param>
internal sealed record PackedMatrix(MatrixWeight Weight, PackedForm Form, long Offset, long ByteCount);
