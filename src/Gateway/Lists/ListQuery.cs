using System.Globalization;
using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Documents;

namespace Serving.Gateway.Lists;

/// <summary>Reads which part of a list is asked for: <c>limit</c>, <c>order</c> and <c>after</c> of a query.</summary>
internal static class ListQuery
{
    /// <summary>The page, or the error with which to answer.</summary>
    public static (PageRequest? Page, ApiError? Error) Read(IQueryCollection query, int limitDefault, int limitMax, bool isDescendingDefault)
    {
        var limit = limitDefault;
        var (limitText, orderText, after) = (Value(query, "limit"), Value(query, "order"), Value(query, "after"));
        if (limitText is not null
            && (!int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit < 1 || limit > limitMax))
        {
            return (null, ApiError.Invalid($"'limit' must be an integer from 1 to {limitMax}.", "limit"));
        }

        if (orderText is not (null or "asc" or "desc"))
        {
            return (null, ApiError.Invalid("'order' must be asc or desc.", "order"));
        }

        if (after is not null && !StoreId.IsValid(after))
        {
            return (null, ApiError.Invalid("'after' must be the id of an entry, such as the last of the page before.", "after"));
        }

        return (new PageRequest(limit, after, orderText is null ? isDescendingDefault : orderText == "desc"), null);
    }

    /// <summary>The last value of a parameter; null: it is not there.</summary>
    public static string? Value(IQueryCollection query, string name) => query.TryGetValue(name, out var values) ? values[^1] : null;
}
