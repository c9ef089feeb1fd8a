namespace Serving.Worker.Loop;

/// <summary>
/// What an engine is doing. Each figure is exact as of the end of some recent step; they are read one by one, so that a step
/// may lie between two of them.
/// </summary>
/// <param name="Waiting">Sequences that hold no blocks yet, or were preempted.</param>
/// <param name="Running">Sequences that take part in steps.</param>
/// <param name="WaitingForRemoteKv">Sequences whose KV cache is under way from elsewhere.</param>
/// <param name="PrefillComputed">Sequences whose blocks are being read by a sender.</param>
/// <param name="PendingPromptTokens">Prompt tokens to be computed here.</param>
/// <param name="KvBlocksUsed">KV blocks that a sequence holds.</param>
/// <param name="KvBlocksCached">KV blocks that nobody holds and that keep what they hold for prompts with the same beginning.</param>
/// <param name="KvBlocksTotal">KV blocks of the pool.</param>
/// <param name="CachedPromptTokens">Prompt tokens found computed since the start.</param>
/// <param name="ComputedPromptTokens">Prompt tokens computed since the start.</param>
/// <param name="GeneratedTokens">Tokens sampled since the start.</param>
/// <param name="Steps">Steps since the start.</param>
/// <param name="Preemptions">Sequences that lost their blocks to an older one, since the start.</param>
/// <param name="DraftedTokens">Tokens guessed by prompt lookup since the start.</param>
/// <param name="AcceptedTokens">Guesses that held, since the start.</param>
public readonly record struct EngineSnapshot(
    int Waiting,
    int Running,
    int WaitingForRemoteKv,
    int PrefillComputed,
    int PendingPromptTokens,
    int KvBlocksUsed,
    int KvBlocksCached,
    int KvBlocksTotal,
    long CachedPromptTokens,
    long ComputedPromptTokens,
    long GeneratedTokens,
    long Steps,
    long Preemptions,
    long DraftedTokens,
    long AcceptedTokens);
