namespace Serving.Engine.Models;

/// <summary>What a token leaves in the KV cache of each layer.</summary>
/// <param name="KvHeads">Heads.</param>
/// <param name="KeyDim">Elements of a head's key.</param>
/// <param name="ValueDim">Elements of a head's value.</param>
/// <param name="ValuesInKeys">Whether a value is the beginning of its key and not stored (latent attention).</param>
public sealed record KvShape(int KvHeads, int KeyDim, int ValueDim, bool ValuesInKeys = false);
