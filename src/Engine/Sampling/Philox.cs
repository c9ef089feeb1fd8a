namespace Serving.Engine.Sampling;

/// <summary>
/// Philox4x32-10, a counter-based random number generator: a pure function of key and counter, so that a sampler has no state to keep,
/// save or replay. Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as 1, 2, 3 (SC'11).
/// </summary>
internal static class Philox
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;

    /// <summary>A number in [0, 1) with 53 random bits, for one token of one choice.</summary>
    /// <param name="position">Index of the token in its sequence, prompt included: a replay of the answer so far draws the same.</param>
    public static double Uniform(long seed, int choice, long position)
    {
        var (x0, x1, _, _) = Block(
            ((uint)position, (uint)((ulong)position >> 32), (uint)choice, 0),
            ((uint)seed, (uint)((ulong)seed >> 32)));
        return ((((ulong)x1 << 32) | x0) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>The four words that key and counter give.</summary>
    internal static (uint X0, uint X1, uint X2, uint X3) Block((uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        var (c0, c1, c2, c3) = counter;
        var (k0, k1) = key;
        for (var round = 0; round < Rounds; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }
}
