using Google.Protobuf;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Chat;

/// <summary>What a request says of tools.</summary>
/// <param name="Json">Definitions for the chat template; empty: the model does not hear of any.</param>
/// <param name="Parameters">Null: nothing is called.</param>
internal sealed record ToolRequest(ByteString Json, ToolParameters? Parameters)
{
    public static ToolRequest None { get; } = new(ByteString.Empty, null);
}
