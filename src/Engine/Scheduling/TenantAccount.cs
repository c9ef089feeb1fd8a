namespace Serving.Engine.Scheduling;

/// <summary>What one tenant has had of the engine.</summary>
internal sealed class TenantAccount(string tenant)
{
    /// <summary>An answer token occupies the engine about as long as two prompt tokens of a chunk (the paper's weights).</summary>
    private const int AnswerTokenWeight = 2;

    public string Tenant => tenant;

    /// <summary>Weighted tokens served, lifted when the tenant comes back: its virtual counter.</summary>
    public long ServedTokens { get; set; }

    /// <summary>Its sequences that wait.</summary>
    public int WaitingCount { get; set; }

    /// <summary>Its sequences that have not ended.</summary>
    public int SequenceCount { get; set; }

    /// <summary>A prompt is admitted: from now on its tenant has had what has to be computed of it.</summary>
    public void ChargePrompt(int tokens) => ServedTokens += tokens;

    public void ChargeAnswerToken() => ServedTokens += AnswerTokenWeight;
}
