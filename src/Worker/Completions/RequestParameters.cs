using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Engine.Formats;
using Serving.Engine.Sampling;
using Serving.Worker.Models;
using SamplingParameters = Serving.Engine.Sampling.SamplingParameters;
using TokenBias = Serving.Engine.Sampling.TokenBias;

namespace Serving.Worker.Completions;

/// <summary>What a request asks of the sampler, in the engine's words: what it leaves out is what the model's makers recommend.</summary>
internal static class RequestParameters
{
    private const int SequencesMax = 128;

    /// <summary>Answers to be given.</summary>
    public static int Choices(CompletionRequest request) => Math.Max(1, request.Choices);

    /// <summary>Answers to be computed.</summary>
    public static int Sequences(CompletionRequest request) => Math.Max(Choices(request), request.BestOf);

    /// <summary>Whether no answer is wanted, only what the prompt has to say.</summary>
    public static bool IsPromptOnly(CompletionRequest request) => request.Stop is { HasMaxTokens: true, MaxTokens: 0 };

    /// <summary>Whether the log probabilities of the prompt's tokens are wanted.</summary>
    public static bool HasPromptLogprobs(CompletionRequest request) => request.Echo && request.Sampling.HasLogprobs;

    /// <summary>What is wrong, or null. Most mistakes the gateway has found before; it knows no vocabulary.</summary>
    public static RequestError? Check(CompletionRequest request, ModelRuntime model)
    {
        if (Sequences(request) > SequencesMax)
        {
            return RequestErrors.Invalid(request.BestOf > SequencesMax ? "best_of" : "n", $"must be at most {SequencesMax}");
        }

        int vocabulary = model.Executor.Model.VocabularySize;
        foreach (int token in request.Stop.TokenIds)
        {
            if ((uint)token >= (uint)vocabulary)
            {
                return RequestErrors.Invalid("stop_token_ids", $"must name tokens from 0 to {vocabulary - 1}, not {token}");
            }
        }

        if (request.Tools?.Functions.Count > 0 && !model.AnswerFormat.HasCalls)
        {
            return RequestErrors.Invalid("tools", "cannot be used with this model: it is served with the tool parser 'none'");
        }

        if (request.PromptCase == CompletionRequest.PromptOneofCase.Chat
            && new AnswerConstraints(model.AnswerFormat, request.Tools).Check(request.Constraint) is { } unholdable)
        {
            return unholdable;
        }

        return Sampling(request, model, seed: 0, choice: 0).FindFault(vocabulary) is { } fault
            ? RequestErrors.Invalid(JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.Property), fault.Requirement)
            : null;
    }

    public static SamplingParameters Sampling(CompletionRequest request, ModelRuntime model, long seed, int choice)
    {
        Contracts.Internal.SamplingParameters asked = request.Sampling;
        SamplingDefaults silent = model.SamplingDefaults;
        bool isRanked = Sequences(request) > Choices(request);
        return new SamplingParameters
        {
            Temperature = asked.HasTemperature ? asked.Temperature : silent.Temperature ?? 1,
            TopK = asked.HasTopK ? asked.TopK : silent.TopK ?? 0,
            TopP = asked.HasTopP ? asked.TopP : silent.TopP ?? 1,
            MinP = asked.HasMinP ? asked.MinP : silent.MinP ?? 0,
            TypicalP = asked.HasTypicalP ? asked.TypicalP : 1,
            RepetitionPenalty = asked.HasRepetitionPenalty ? asked.RepetitionPenalty : silent.RepetitionPenalty ?? 1,
            FrequencyPenalty = asked.FrequencyPenalty,
            PresencePenalty = asked.PresencePenalty,
            LogitBias = (TokenBias[])[.. asked.LogitBias.Select(bias => new TokenBias(bias.Id, bias.Bias))],
            MinTokens = request.Stop.MinTokens,
            Logprobs = asked.HasLogprobs ? asked.Logprobs : isRanked ? 0 : null,
            PromptLogprobs = HasPromptLogprobs(request),
            Seed = seed,
            Choice = choice,
        };
    }

    /// <summary>Tokens that end the answer.</summary>
    public static ReadOnlyMemory<int> EndTokens(CompletionRequest request, ModelRuntime model)
    {
        ReadOnlySpan<int> own = request.Stop.IgnoreEos ? [] : model.EndTokens.Span;
        return request.Stop.TokenIds.Count > 0 ? (int[])[.. own, .. request.Stop.TokenIds]
            : request.Stop.IgnoreEos ? default
            : model.EndTokens;
    }
}
