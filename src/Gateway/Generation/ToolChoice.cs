namespace Serving.Gateway.Generation;

/// <summary>Which functions may be called, and whether one must be.</summary>
/// <param name="Functions">Empty: none.</param>
/// <param name="IsSingle">No more than one.</param>
internal readonly record struct ToolChoice(IReadOnlyList<string> Functions, bool IsRequired, bool IsSingle = false)
{
    public static ToolChoice None { get; } = new([], IsRequired: false);
}
