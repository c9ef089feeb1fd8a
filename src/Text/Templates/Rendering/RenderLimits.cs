namespace Serving.Text.Templates.Rendering;

/// <summary>
/// Bounds on one render, so that no template can hold a worker. The defaults let a long conversation through (thousands of messages,
/// megabytes of text) and stop a runaway within a second or two.
/// </summary>
/// <param name="StepsMax">Evaluated nodes, visited items, and one for every 32 characters copied or searched.</param>
/// <param name="TextCharsMax">Length of any one string, the result included, in UTF-16 units.</param>
/// <param name="DepthMax">Nested evaluations, macro calls and values inside values.</param>
internal sealed record RenderLimits(long StepsMax, int TextCharsMax, int DepthMax)
{
    public static readonly RenderLimits Default = new(StepsMax: 4_000_000, TextCharsMax: 8 << 20, DepthMax: 1_500);
}
