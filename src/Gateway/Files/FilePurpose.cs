using Serving.Gateway.Http;

namespace Serving.Gateway.Files;

/// <summary>What files are for. The platform keeps, lists and gives back files of every purpose; of its own accord it uses those of batches.</summary>
internal static class FilePurpose
{
    private static readonly string[] _uploaded = ["assistants", FileStore.BatchPurpose, "evals", "fine-tune", "user_data", "vision"];
    private static readonly string[] _made = ["assistants_output", FileStore.BatchOutputPurpose, "fine-tune-results"];

    /// <summary>What is wrong with the purpose of a new file; null: nothing.</summary>
    public static ApiError? CheckUpload(string? purpose) =>
        purpose is null ? ApiError.Invalid($"'purpose' is missing: give {Names(_uploaded)}.", "purpose")
        : _uploaded.Contains(purpose) ? null
        : _made.Contains(purpose) ? ApiError.Invalid($"'purpose' {purpose} is of files that the platform makes: give {Names(_uploaded)}.", "purpose")
        : ApiError.Invalid($"'purpose' must be {Names(_uploaded)}.", "purpose");

    /// <summary>What is wrong with a purpose to look for; null: nothing.</summary>
    public static ApiError? CheckFilter(string? purpose) =>
        purpose is null || _uploaded.Contains(purpose) || _made.Contains(purpose)
            ? null
            : ApiError.Invalid($"'purpose' must be {Names([.. _uploaded, .. _made])}.", "purpose");

    private static string Names(string[] names) => $"{string.Join(", ", names[..^1])} or {names[^1]}";
}
