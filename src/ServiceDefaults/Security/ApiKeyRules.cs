namespace Serving.ServiceDefaults.Security;

/// <summary>What a client's API key has to be; asked by who makes keys and by who reads them.</summary>
public static class ApiKeyRules
{
    /// <summary>Fewer characters could be guessed.</summary>
    public const int LengthMin = 16;
}
