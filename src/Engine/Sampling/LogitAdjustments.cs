using System.Numerics;

namespace Serving.Engine.Sampling;

/// <summary>
/// Penalties, bias, the mask of end tokens and that of a constraint: what changes logits before one is chosen. The counts of tokens are taken anew from the sequence
/// every time, which costs a walk over it and leaves no state that a preemption, a replay or a hand-off would have to carry.
/// </summary>
internal sealed class LogitAdjustments(int vocabularySize)
{
    private const int BitsPerWord = 64;

    private readonly float[] _logits = new float[vocabularySize];
    private readonly ulong[] _allowed = new ulong[(vocabularySize + BitsPerWord - 1) / BitsPerWord];

    // Occurrences in the answer, plus one where the token is in the sequence at all; 0 for every token between two calls.
    private readonly int[] _seen = new int[vocabularySize];

    /// <summary>The adjusted logits, there until the next call; the row itself when there is nothing to change.</summary>
    public ReadOnlySpan<float> Apply(in SamplingInput input)
    {
        var parameters = input.Parameters;
        var constraint = input.Constraint;

        var masksEnd = input.Answer.Length < parameters.MinTokens && input.EndTokens.Length > 0;
        if (!parameters.HasPenalties && parameters.LogitBias.IsEmpty && !masksEnd && constraint is null)
        {
            return input.Logits;
        }

        input.Logits.CopyTo(_logits);
        if (parameters.HasPenalties)
        {
            Count(input);
            Penalise(input.Tokens, parameters);
        }

        foreach (var bias in parameters.LogitBias.Span)
        {
            _logits[bias.TokenId] += bias.Bias;
        }

        if (constraint is not null)
        {
            // A constraint that leaves nothing but the end is stronger than the wish for more.
            masksEnd &= constraint.Fill(_allowed);
            MaskForbidden();
        }

        if (masksEnd)
        {
            foreach (var token in input.EndTokens)
            {
                // A tokenizer may know tokens that the model has no logits for.
                if ((uint)token < (uint)_logits.Length)
                {
                    _logits[token] = float.NegativeInfinity;
                }
            }
        }

        return _logits;
    }

    private void MaskForbidden()
    {
        for (var word = 0; word < _allowed.Length; word++)
        {
            var logits = _logits.AsSpan(word * BitsPerWord, Math.Min(BitsPerWord, _logits.Length - (word * BitsPerWord)));
            if (_allowed[word] == 0)
            {
                logits.Fill(float.NegativeInfinity);
                continue;
            }

            for (var forbidden = ~_allowed[word]; forbidden != 0; forbidden &= forbidden - 1)
            {
                var bit = BitOperations.TrailingZeroCount(forbidden);
                if (bit < logits.Length)
                {
                    logits[bit] = float.NegativeInfinity;
                }
            }
        }
    }

    private void Count(in SamplingInput input)
    {
        foreach (var token in input.Tokens)
        {
            _seen[token] = 1;
        }

        foreach (var token in input.Answer)
        {
            _seen[token]++;
        }
    }

    /// <summary>Every token once, at its first place in the sequence, where its count is cleared.</summary>
    private void Penalise(ReadOnlySpan<int> tokens, SamplingParameters parameters)
    {
        foreach (var token in tokens)
        {
            if (_seen[token] == 0)
            {
                continue;
            }

            var occurrences = _seen[token] - 1;
            _seen[token] = 0;
            var logit = _logits[token];
            logit = logit > 0 ? logit / parameters.RepetitionPenalty : logit * parameters.RepetitionPenalty;
            logit -= occurrences * parameters.FrequencyPenalty;
            _logits[token] = occurrences > 0 ? logit - parameters.PresencePenalty : logit;
        }
    }
}
