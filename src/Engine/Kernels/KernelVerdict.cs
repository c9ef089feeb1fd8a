namespace Serving.Engine.Kernels;

/// <summary>Why an instruction set's kernels are used or not.</summary>
public enum KernelVerdict
{
    /// <summary>In use: the fastest, or forced.</summary>
    Chosen,

    /// <summary>Sound, but another was faster.</summary>
    Slower,

    /// <summary>Another was forced.</summary>
    NotForced,

    /// <summary>The processor lacks the instructions.</summary>
    Unsupported,

    /// <summary>Its results differ from the portable kernels': never used. A bug of the kernel, the runtime or the processor.</summary>
    Disagrees,
}
