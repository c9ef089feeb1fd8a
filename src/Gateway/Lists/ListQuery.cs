using Serving.Gateway.Http;
using Serving.Storage;
using Serving.Storage.Documents;

namespace Serving.Gateway.Lists;

/// <summary>Reads which part of a list is asked for: <c>limit</c>, <c>order</c> and <c>after</c> of a query.</summary>
internal static class ListQuery
{
    /// <summary>The page; it means nothing where <see cref="QueryFields.Error"/> is set.</summary>
    public static PageRequest Read(QueryFields query, int limitDefault, int limitMax, bool isDescendingDefault)
    {
        var limit = query.Integer("limit", 1, limitMax) ?? limitDefault;
        var order = query.Text("order");
        if (order is not (null or "asc" or "desc"))
        {
            query.Fail("order", "must be asc or desc.");
        }

        var after = query.Text("after");
        if (after is not null && !StoreId.IsValid(after))
        {
            query.Fail("after", "must be the id of an entry, such as the last of the page before.");
        }

        return new PageRequest(limit, after, order is null ? isDescendingDefault : order == "desc");
    }
}
