using Serving.Contracts.OpenAI;
using Serving.Storage.Documents;

namespace Serving.Gateway.Lists;

/// <summary>Renders pages of stored things.</summary>
internal static class StoredList
{
    public static OpenAiList<T> Of<T>(DocumentPage<T> page)
        where T : class => Of([.. page.Entries.Select(entry => entry.Value)], page);

    /// <summary>A page whose entries are shown as something else than their documents.</summary>
    public static OpenAiList<TShown> Of<TShown, T>(IReadOnlyList<TShown> shown, DocumentPage<T> page)
        where T : class => new(shown, page.Entries is [var first, ..] ? first.Id : "", page.Entries is [.., var last] ? last.Id : "", page.HasMore);
}
