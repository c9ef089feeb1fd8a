using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Formats.Blocks;

/// <summary>
/// IEEE half precision by integer shifts: .NET 10 exposes no F16C, and a cast of <see cref="Half"/> runs branchy software. Moving a half's exponent and
/// mantissa 13 bits up gives the float that is 2^112 times too small, subnormals included, so one exact multiplication ends the conversion.
/// </summary>
internal static class HalfBits
{
    /// <summary>The largest finite half: what a wider value is stored as.</summary>
    public const float ValueMax = 65504f;

    /// <summary>What the shifted exponent lacks: 2^(127 − 15).</summary>
    public const float ExponentScale = 5.192296858534828e33f;

    /// <summary>Sign, exponent and mantissa of a sign-extended half that was moved 13 bits up.</summary>
    public const int ShiftedMask = unchecked((int)0x8fff_e000);

    /// <summary>The exact value of a finite half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort half) => BitConverter.Int32BitsToSingle(((short)half << 13) & ShiftedMask) * ExponentScale;

    /// <summary>The exact values of eight finite halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToSingle(Vector128<short> halves)
    {
        Vector256<int> shifted = (Vector256.WidenLower(halves.ToVector256Unsafe()) << 13) & Vector256.Create(ShiftedMask);
        return shifted.AsSingle() * Vector256.Create(ExponentScale);
    }

    /// <summary>Eight values rounded to the nearest half, ties to even; values beyond the finite range become the largest finite half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<short> FromSingle(Vector256<float> values)
    {
        Vector256<int> sign = (values.AsInt32() >>> 16) & Vector256.Create(0x8000);
        Vector256<float> magnitude = Vector256.Min(Vector256.Abs(values), Vector256.Create(ValueMax));

        // Below 2^-14 halves are 2^-24 apart, which is what floats are apart in [0.5, 1): adding 0.5 rounds there.
        Vector256<int> subnormal = (magnitude + Vector256.Create(0.5f)).AsInt32() - Vector256.Create(0x3f00_0000);
        Vector256<int> bits = magnitude.AsInt32();
        Vector256<int> odd = (bits >>> 13) & Vector256<int>.One;
        Vector256<int> normal = (bits + odd + Vector256.Create(0xfff - (112 << 23))) >>> 13;
        Vector256<int> isSubnormal = Vector256.LessThan(magnitude, Vector256.Create(6.103515625e-05f)).AsInt32();
        Vector256<int> half = Vector256.ConditionalSelect(isSubnormal, subnormal, normal) | sign;
        return Vector128.Narrow(half.GetLower(), half.GetUpper());
    }
}
