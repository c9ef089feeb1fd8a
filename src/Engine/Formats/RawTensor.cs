namespace Serving.Engine.Formats;

/// <summary>How a tensor's elements lie in a GGUF file (ggml's type ids).</summary>
public enum GgmlType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    Q2_K = 10,
    Q3_K = 11,
    Q4_K = 12,
    Q5_K = 13,
    Q6_K = 14,
    IQ4_NL = 20,
    IQ4_XS = 23,
    I8 = 24,
    I32 = 26,
    BF16 = 30,
    MXFP4 = 39,
}

/// <summary>A weight matrix as its file holds it: <paramref name="Outputs"/> rows of <paramref name="Inputs"/> elements, rows one after the other.</summary>
/// <param name="Name">The tensor's name, for errors.</param>
/// <param name="Type">The element format.</param>
/// <param name="Outputs">Rows.</param>
/// <param name="Inputs">Elements of a row; a multiple of the format's block size.</param>
/// <param name="Data">Address of the first byte; valid while the file is mapped.</param>
/// <param name="ByteCount">Bytes of the whole matrix.</param>
public readonly unsafe record struct RawTensor(string Name, GgmlType Type, int Outputs, int Inputs, nint Data, long ByteCount)
{
    public ReadOnlySpan<byte> Row(int output)
    {
        long rowBytes = ByteCount / Outputs;
        return new ReadOnlySpan<byte>((byte*)Data + (output * rowBytes), checked((int)rowBytes));
    }
}
