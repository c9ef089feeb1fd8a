using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads who goes first: OpenAI's <c>service_tier</c>, or vLLM's <c>priority</c>, of which less is sooner.</summary>
internal static class PriorityReader
{
    private const int NameLengthMax = 64;

    /// <summary>The priority, and the tier that answers name; null where the request names none.</summary>
    public static (Priority Priority, string? Tier) Read(RequestFields fields)
    {
        var rank = fields.Integer("priority", int.MinValue, int.MaxValue);
        var tier = fields.Text("service_tier", NameLengthMax);
        if (rank is not null && tier is not null)
        {
            fields.Fail("priority", "and 'service_tier' are both there: send one of them.");
        }

        switch (tier)
        {
            case null:
                return (rank switch { < 0 => Priority.Priority, > 0 => Priority.Flex, _ => Priority.Default }, null);
            case "auto" or "default":
                return (Priority.Default, "default");
            case "flex":
                return (Priority.Flex, "flex");
            case "priority" or "fast":
                return (Priority.Priority, "priority");
            default:
                fields.Fail("service_tier", $"'{tier}' is not served here: give auto, default, flex or priority.");
                return (Priority.Default, null);
        }
    }
}
