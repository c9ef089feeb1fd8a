using System.Runtime.InteropServices;

namespace Serving.Embeddings;

/// <summary>
/// Since 1.29 ONNX Runtime's official builds send usage events to their makers and leave a device identifier in the user's cache folder, unless a variable of the process's
/// environment says no before the library initialises (its Privacy.md). Nothing here tells anyone what it runs.
/// </summary>
internal static partial class OnnxTelemetry
{
    private const string Variable = "ORT_DISABLE_TELEMETRY";

    /// <summary>To be called before anything else of the library.</summary>
    public static void Disable()
    {
        // .NET's own setter changes a copy of the environment on Unix, which native code does not see.
        if (OperatingSystem.IsWindows())
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
        else if (SetVariable(Variable, "1", overwrite: 1) != 0)
        {
            throw new SentenceModelException($"{Variable} cannot be set, and without it ONNX Runtime would send telemetry.");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
