using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class GgufMetadataTests
{
    [Fact]
    public void Takes_integers_of_any_width_and_floats_of_both() => WithMetadata(
        new GgufWriter()
            .Set("byte", GgufValueType.UInt8, w => w.Write((byte)3))
            .Set("long", GgufValueType.UInt64, w => w.Write(4UL))
            .Set("double", GgufValueType.Float64, w => w.Write(0.5)),
        metadata =>
        {
            Assert.Equal(3, metadata.GetInt32("byte", 0, 10));
            Assert.Equal(4, metadata.GetInt32("long", 0, 10));
            Assert.Equal(0.5f, metadata.GetSingle("double"));
            Assert.Null(metadata.FindInt32("absent", 0, 10));
            Assert.Null(metadata.FindString("absent"));
            Assert.Null(metadata.FindBool("absent"));
            Assert.Null(metadata.FindSingle("absent"));
            Assert.Null(metadata.FindStrings("absent"));
        });

    [Fact]
    public void Names_the_key_that_is_missing_or_wrong() => WithMetadata(
        new GgufWriter()
            .Set("text", "seven")
            .Set("number", 7u)
            .Set("texts", "a", "b")
            .Set("huge", GgufValueType.UInt64, w => w.Write(1UL << 63))
            .Set("nan", float.NaN),
        metadata =>
        {
            AssertRefused("llama.block_count is missing.", () => metadata.GetInt32("llama.block_count", 1, 9));
            AssertRefused("text is a string, expected an unsigned integer.", () => metadata.GetInt32("text", 1, 9));
            AssertRefused("number is 7, expected 1 to 6.", () => metadata.GetInt32("number", 1, 6));
            AssertRefused("huge is 9223372036854775808, expected 0 to 2147483647.", () => metadata.GetInt32("huge", 0, int.MaxValue));
            AssertRefused("number is an integer, expected a string.", () => metadata.GetString("number"));
            AssertRefused("texts is an array of String, expected an array of 32-bit integers.", () => metadata.FindInt32s("texts"));
            AssertRefused("nan is NaN, expected a finite number.", () => metadata.GetSingle("nan"));
            AssertRefused("number is an integer, expected a bool.", () => metadata.FindBool("number"));
        });

    private static void AssertRefused(string expected, Action action) =>
        Assert.EndsWith(expected, Assert.Throws<ModelFormatException>(action).Message);

    private static void WithMetadata(GgufWriter writer, Action<GgufMetadata> test)
    {
        using var temporary = new TemporaryFile(writer.ToArray());
        using GgufFile file = GgufFile.Open(temporary.Path);
        test(file.Metadata);
    }
}
