namespace Serving.Engine.Tests;

/// <summary>Holds an executor's greedy choices against recorded ones, all cases in one batch.</summary>
internal static class GoldenGreedy
{
    /// <summary>Below this gap between first and second logit the reference itself could have gone the other way.</summary>
    public const float Fp32MarginMin = 1e-3f;

    /// <summary>Feeds the recorded tokens and gives the recorded and the chosen token of every place where they differ, as a line each.</summary>
    public static List<string> Differences(StepDriver driver, IReadOnlyList<GoldenCase> cases, float marginMin = Fp32MarginMin)
    {
        var differences = new List<string>();
        TestSequence[] sequences = [.. cases.Select(golden => driver.NewSequence(golden.PromptIds.Length + golden.Greedy.Length))];
        for (int step = 0; step < cases.Max(golden => golden.Greedy.Length); step++)
        {
            int[] running = [.. Enumerable.Range(0, cases.Count).Where(i => step < cases[i].Greedy.Length)];
            float[][] logits = driver.Step(
                [.. running.Select(i => new TestRows(sequences[i], step == 0 ? cases[i].PromptIds : [cases[i].Greedy[step - 1]]))]);
            for (int i = 0; i < running.Length; i++)
            {
                GoldenCase golden = cases[running[i]];
                int chosen = StepDriver.ArgMax(logits[i]);
                if (golden.Margins[step] > marginMin && chosen != golden.Greedy[step])
                {
                    differences.Add($"case {running[i]}, token {step}: expected {golden.Greedy[step]}, got {chosen}");
                }
            }
        }

        return differences;
    }
}
