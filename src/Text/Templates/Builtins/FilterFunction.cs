using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Builtins;

/// <summary>A filter, given what stands left of the bar.</summary>
internal delegate object FilterFunction(object value, Arguments arguments, RenderContext context);

/// <summary>A test, given what stands left of <c>is</c>.</summary>
internal delegate bool TestFunction(object value, Arguments arguments, RenderContext context);
