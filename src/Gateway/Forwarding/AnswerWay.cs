namespace Serving.Gateway.Forwarding;

/// <summary>Which way an answer has come, over all prompts that have begun.</summary>
/// <param name="DecodeWorkers">Ids, with commas between them.</param>
/// <param name="PrefillWorkers">The same; empty when the decode workers computed all prompts.</param>
/// <param name="PromptTokens">Of all prompts.</param>
/// <param name="ComputedPromptTokens">Those that decode workers computed.</param>
/// <param name="KvBytes">KV cache bytes that crossed between workers.</param>
internal sealed record AnswerWay(string DecodeWorkers, string PrefillWorkers, int PromptTokens, int ComputedPromptTokens, long KvBytes)
{
    public static AnswerWay Of(CompletionCall call)
    {
        var started = call.Legs.Where(leg => leg.Answer is not null).Select(leg => leg.Answer!.Started).ToArray();
        return new AnswerWay(
            string.Join(',', started.Select(answer => answer.DecodeWorker).Distinct()),
            string.Join(',', started.Select(answer => answer.PrefillWorker).Where(worker => worker.Length > 0).Distinct()),
            started.Sum(answer => answer.PromptTokens),
            started.Sum(answer => answer.ComputedPromptTokens),
            started.Sum(answer => answer.KvBytesReceived));
    }
}
