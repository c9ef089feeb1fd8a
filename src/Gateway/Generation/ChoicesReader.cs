using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads how many answers are wanted.</summary>
internal static class ChoicesReader
{
    private const int ChoicesMax = 128;
    private const int BestOfMax = 20;

    /// <summary>Answers to be given, and answers to be computed, of which these are the best.</summary>
    /// <param name="bestOfMin">0 where it may say that no more are to be computed than given.</param>
    public static (int Choices, int BestOf) Read(RequestFields fields, bool stream, int bestOfMin = 1)
    {
        var choices = (int?)fields.Integer("n", 1, ChoicesMax) ?? 1;
        if (fields.Integer("best_of", bestOfMin, BestOfMax) is not { } bestOf || bestOf == 0)
        {
            return (choices, choices);
        }

        if (bestOf < choices)
        {
            fields.Fail("best_of", $"is {bestOf}, fewer than the {choices} answers that 'n' asks for.");
        }
        else if (stream && bestOf > choices)
        {
            fields.Fail("best_of", "cannot be streamed: which answers are best is known at their ends.");
        }

        return (choices, (int)bestOf);
    }
}
