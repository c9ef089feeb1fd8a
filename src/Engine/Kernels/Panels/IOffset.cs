namespace Serving.Engine.Kernels.Panels;

/// <summary>What was added to a format's codes to make its quants unsigned.</summary>
internal interface IOffset
{
    static abstract int Value { get; }
}

/// <summary>Q3_K's third bit stands for −4.</summary>
internal readonly struct OffsetBy4 : IOffset
{
    public static int Value => 4;
}

/// <summary>The doubled codes of MXFP4 go from −12 to 12.</summary>
internal readonly struct OffsetBy12 : IOffset
{
    public static int Value => 12;
}

/// <summary>Q5_0's quants are 16 too high.</summary>
internal readonly struct OffsetBy16 : IOffset
{
    public static int Value => 16;
}

/// <summary>Q6_K's quants are 32 too high.</summary>
internal readonly struct OffsetBy32 : IOffset
{
    public static int Value => 32;
}

/// <summary>The codes of IQ4_NL and IQ4_XS go from −127 to 113.</summary>
internal readonly struct OffsetBy128 : IOffset
{
    public static int Value => 128;
}
