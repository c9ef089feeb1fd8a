namespace Serving.ServiceDefaults.Hosting;

/// <summary>A program cannot start as it was asked to. The message says what is wrong and how to mend it, and is all that the operator needs.</summary>
public sealed class StartupException : Exception
{
    public StartupException(string message)
        : base(message)
    {
    }

    public StartupException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
