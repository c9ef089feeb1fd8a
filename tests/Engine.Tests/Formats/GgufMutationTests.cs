using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Models;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class GgufMutationTests
{
    private const int Mutations = 10_000;

    [Fact]
    public void A_mutated_file_either_opens_or_is_refused()
    {
        byte[] original = TinyLlama.Writer().ToArray();
        var random = new Random(20261123);
        int opened = 0;
        for (int i = 0; i < Mutations; i++)
        {
            using var temporary = new TemporaryFile(Mutate(original, random));
            try
            {
                using ModelSource file = ModelSource.Open(temporary.Path);
                ModelGraph.Build(file);
                opened++;
            }
            catch (ModelFormatException)
            {
                // Refused, as it should be. Any other exception fails the test; the seed is fixed, so it fails again.
            }
        }

        Assert.InRange(opened, 1, Mutations - 1);
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        // The first 1,500 bytes are header, metadata and directory: most of what can go wrong.
        var bytes = (byte[])original.Clone();
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            int at = random.Next(random.Next(10) == 0 ? bytes.Length : 1500);
            switch (random.Next(3))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = random.Next(2) == 0 ? (byte)0xFF : (byte)0;
                    break;
                default:
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), 1L << random.Next(64));
                    break;
            }
        }

        return random.Next(8) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }
}
