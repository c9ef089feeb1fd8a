using Serving.Gateway.Http;

namespace Serving.Gateway.Chat.Stored;

/// <summary>What a request with <c>store</c> wants kept beside its answer.</summary>
/// <param name="Messages">As they were sent.</param>
internal sealed record ChatKeeping(StoredChats Chats, string Tenant, Dictionary<string, string> Metadata, ReadOnlyMemory<byte> Messages)
{
    public ValueTask<ApiError?> CheckRoomAsync() => Chats.CheckRoomAsync(Tenant, Messages.Length);

    public ValueTask<ApiError?> KeepAsync(ChatAnswerId id, ReadOnlyMemory<byte> completion, CancellationToken cancellationToken) =>
        Chats.AddAsync(Tenant, id, Metadata, completion, Messages, cancellationToken);
}
