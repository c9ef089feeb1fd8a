using System.Text.Json;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Completions;

/// <summary>Reads the body of <c>POST /v1/completions</c> field by field, and refuses by name what it cannot honour.</summary>
internal static class CompletionRequestReader
{
    private const int MaxTokensDefault = 16;
    private const int LogprobsMax = 5;

    /// <summary>Answers that are computed at once, over all prompts: what <c>n</c> allows for one.</summary>
    private const int AnswersMax = 128;

    private static readonly (string Field, Func<JsonElement, bool> IsNeutral)[] _whenNeutral =
    [
        ("suffix", value => RequestFields.IsText(value, "")),
        ("add_special_tokens", UnsupportedFields.IsTrue),
        ("length_penalty", _ => false),
        ("prompt_embeds", _ => false),
        ("store", UnsupportedFields.IsFalse),
    ];

    public static GenerationRequest? Read(RequestFields fields)
    {
        var model = ModelReader.Read(fields);
        var prompts = PromptsReader.Read(fields);
        var sampling = SamplingReader.Read(fields);
        if (fields.Integer("logprobs", 0, LogprobsMax) is { } logprobs)
        {
            sampling.Logprobs = (int)logprobs;
        }

        var stop = StopReader.Read(fields, fields.Integer("max_tokens", 0, int.MaxValue) ?? MaxTokensDefault);
        var constraint = ConstraintReader.Read(fields);
        var echo = fields.Boolean("echo") ?? false;
        var (stream, includeUsage) = StreamingReader.Read(fields);
        var (choices, bestOf) = ChoicesReader.Read(fields, stream, bestOfMin: 0);
        var (priority, _) = PriorityReader.Read(fields);
        var cacheSalt = CacheSaltReader.Read(fields);
        UnsupportedFields.Check(fields);
        UnsupportedFields.Check(fields, _whenNeutral);
        if (prompts.Count * bestOf > AnswersMax)
        {
            fields.Fail("prompt", $"has {prompts.Count} prompts, with {bestOf} answers to each; at most {AnswersMax} answers are computed at once: send fewer prompts.");
        }

        var profile = new GenerationProfile
        {
            Model = model,
            Prompts = prompts,
            Sampling = sampling,
            Stop = stop,
            Choices = choices,
            BestOf = bestOf,
            Echo = echo,
            Priority = priority,
            CacheSalt = cacheSalt,
            Constraint = constraint,
        };
        return new GenerationRequest(profile, stamp => Renderer(stamp, profile, stream, includeUsage));
    }

    private static IAnswerRenderer Renderer(AnswerStamp stamp, GenerationProfile profile, bool stream, bool includeUsage)
    {
        var json = new CompletionJson(stamp, profile.Choices);
        var choices = CompletionChoice.Of(profile);
        return stream ? new CompletionStreamRenderer(json, choices, includeUsage) : new CompletionAnswerRenderer(json, choices);
    }
}
