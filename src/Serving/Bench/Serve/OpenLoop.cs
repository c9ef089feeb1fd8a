using Serving.Cli.Output;

namespace Serving.Cli.Bench.Serve;

/// <summary>Sends each request when its time has come, however many are under way.</summary>
internal static class OpenLoop
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);

    /// <returns>The outcomes, and the seconds from the first request to the end of the last.</returns>
    public static async Task<(IReadOnlyList<RequestOutcome> Outcomes, double Seconds)> RunAsync(
        LoadClient client, IReadOnlyList<TraceRequest> plan, Reporter reporter, CancellationToken stop)
    {
        var begin = client.Now;
        var next = ProgressInterval.TotalSeconds;
        List<Task<RequestOutcome>> answers = new(plan.Count);
        foreach (var request in plan)
        {
            var wait = begin + request.ArrivalSeconds - client.Now;
            if (wait > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(wait), stop);
            }

            var prompt = LoadText.Create(answers.Count, request.InputTokens);
            answers.Add(Task.Run(() => client.SendAsync(prompt, request.OutputTokens, stop), stop));
            if (client.Now - begin > next)
            {
                reporter.Progress($"{answers.Count} of {plan.Count} requests sent, {answers.Count(answer => answer.IsCompleted)} answered");
                next += ProgressInterval.TotalSeconds;
            }
        }

        var outcomes = await Task.WhenAll(answers);
        return (outcomes, client.Now - begin);
    }
}
