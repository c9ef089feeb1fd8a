using System.IO.Hashing;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.Tests.Kernels;

/// <summary>The layouts that files of packed weights hold.</summary>
public sealed unsafe class PackedFormTests
{
    private const int Outputs = 53;
    private const int Inputs = 256;

    private static readonly NumericClass[] Classes = [new Int8BlockNumericClass(), new Fp32NumericClass()];

    public static TheoryData<GgmlType> Types =>
        [GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0, GgmlType.F16, GgmlType.BF16, GgmlType.F32, GgmlType.Q4_K, GgmlType.Q6_K];

    /// <summary>Who changes what a layout's bytes are raises the number in its name, and this name and hash with it.</summary>
    [Theory]
    [InlineData("int8", GgmlType.Q4_0, "nibble-panels-1", 18359544140415600891)]
    [InlineData("int8", GgmlType.Q4_1, "nibble-panels-1", 13587667752291764898)]
    [InlineData("int8", GgmlType.Q8_0, "byte-panels-1", 3422362713542798119)]
    [InlineData("int8", GgmlType.F16, "rows-1", 3107008104787859263)]
    [InlineData("fp32", GgmlType.Q8_0, "fp32-panels-1", 15053785915385744489)]
    public void A_layout_that_keeps_its_name_keeps_its_bytes(string numericClass, GgmlType type, string name, ulong hash)
    {
        using RandomMatrix matrix = new(type, Outputs, Inputs, seed: 5);
        PackedForm form = Classes[numericClass == "int8" ? 0 : 1].FormOf(type);
        using PackedMemory memory = PackedMemory.Pack(matrix.Raw, form);

        Assert.Equal((name, hash), (form.Name, XxHash3.HashToUInt64(Bytes(memory))));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_matrix_that_is_packed_in_pieces_has_the_bytes_of_one_packed_at_once(GgmlType type)
    {
        using RandomMatrix matrix = new(type, Outputs, Inputs, seed: 6);
        foreach (NumericClass numericClass in Classes)
        {
            PackedForm form = numericClass.FormOf(type);
            using PackedMemory whole = PackedMemory.Pack(matrix.Raw, form);
            using NativeBuffer pieces = new(form.ByteCount(matrix.Raw));
            for (int first = 0; first < Outputs; first += PackedForm.GroupOutputs)
            {
                form.Pack(matrix.Raw, first, Math.Min(PackedForm.GroupOutputs, Outputs - first), pieces.Address + form.BytesOf(matrix.Raw, first));
            }

            Assert.Equal(Bytes(whole), new ReadOnlySpan<byte>(pieces.Address, (int)pieces.ByteCount));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_matrix_over_shared_memory_owns_none_and_gives_the_same_rows(GgmlType type)
    {
        using RandomMatrix matrix = new(type, Outputs, Inputs, seed: 7);
        foreach (NumericClass numericClass in Classes)
        {
            using PackedMemory memory = PackedMemory.Pack(matrix.Raw, numericClass.FormOf(type));
            using WeightMatrix own = numericClass.Pack(matrix.Raw);
            using WeightMatrix shared = numericClass.Open(matrix.Raw with { Data = 0 }, PackedMemory.Shared(memory.Address, memory.ByteCount));

            Assert.Equal((memory.ByteCount, 0L), (own.ResidentBytes, own.MappedBytes));
            Assert.Equal((0L, memory.ByteCount), (shared.ResidentBytes, shared.MappedBytes));
            Assert.Equal(numericClass.PackedBytes(matrix.Raw), memory.ByteCount);
            var (expected, actual) = (new float[Inputs], new float[Inputs]);
            for (int output = 0; output < Outputs; output++)
            {
                own.CopyRow(output, expected);
                shared.CopyRow(output, actual);
                Assert.Equal(Array.ConvertAll(expected, BitConverter.SingleToInt32Bits), Array.ConvertAll(actual, BitConverter.SingleToInt32Bits));
            }
        }
    }

    [Fact]
    public void Memory_of_another_size_is_refused()
    {
        using RandomMatrix matrix = new(GgmlType.Q8_0, Outputs, Inputs, seed: 8);
        using PackedMemory memory = PackedMemory.Pack(matrix.Raw, Classes[0].FormOf(GgmlType.Q8_0));

        Assert.Throws<ArgumentOutOfRangeException>(() => Classes[0].Open(matrix.Raw, PackedMemory.Shared(memory.Address, memory.ByteCount - 64)));
    }

    private static ReadOnlySpan<byte> Bytes(PackedMemory memory) => new(memory.Address, (int)memory.ByteCount);
}
