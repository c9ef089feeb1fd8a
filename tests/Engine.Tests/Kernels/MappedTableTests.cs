using Serving.Engine.Formats;
using Serving.Engine.Kernels;

namespace Serving.Engine.Tests.Kernels;

public sealed class MappedTableTests
{
    [Theory]
    [InlineData(GgmlType.F32)]
    [InlineData(GgmlType.F16)]
    [InlineData(GgmlType.BF16)]
    [InlineData(GgmlType.Q4_0)]
    [InlineData(GgmlType.Q4_1)]
    [InlineData(GgmlType.Q8_0)]
    public void Rows_are_those_of_the_packed_matrix(GgmlType type)
    {
        using RandomMatrix matrix = new(type, 35, 64, seed: 81);
        using WeightMatrix packed = new Fp32NumericClass().Pack(matrix.Raw);
        MappedTable table = new(matrix.Raw);
        float[] expected = new float[64];
        float[] actual = new float[64];
        for (int row = 0; row < table.Rows; row++)
        {
            packed.CopyRow(row, expected);
            table.CopyRow(row, actual);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void Refuses_rows_and_widths_that_it_does_not_have()
    {
        using RandomMatrix matrix = new(GgmlType.Q8_0, 3, 32, seed: 82);
        MappedTable table = new(matrix.Raw);

        Assert.Throws<ArgumentOutOfRangeException>(() => table.CopyRow(-1, new float[32]));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.CopyRow(3, new float[32]));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.CopyRow(0, new float[31]));
    }
}
