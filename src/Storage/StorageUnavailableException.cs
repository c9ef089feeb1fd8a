namespace Serving.Storage;

/// <summary>What is stored cannot be reached: Redis is away, or no folder is set up. The message is for the client and says what is missing.</summary>
public sealed class StorageUnavailableException : Exception
{
    public StorageUnavailableException(string message)
        : base(message)
    {
    }

    public StorageUnavailableException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
