using Serving.Engine.Speculation;

namespace Serving.Engine.Tests.Speculation;

public sealed class DraftLengthTests
{
    [Fact]
    public void Grows_to_the_most_where_guesses_hold_and_rows_cost_little()
    {
        var length = new DraftLength();
        for (var step = 0; step < 10; step++)
        {
            var next = length.Next(rowCost: 0.2);
            Assert.True(next > 0);
            length.Observe(next, next);
        }

        Assert.Equal(DraftLength.Max, length.Next(rowCost: 0.2));
    }

    [Fact]
    public void Guesses_nothing_where_a_row_costs_as_much_as_a_token()
    {
        var length = new DraftLength();
        Assert.Equal(0, length.Next(rowCost: 1));
    }

    [Fact]
    public void Stops_where_guesses_fail_and_tries_again_ever_more_rarely()
    {
        var length = new DraftLength();
        var guessed = new List<int>();
        for (var step = 0; step < 2_000; step++)
        {
            var next = length.Next(rowCost: 0.25);
            if (next > 0)
            {
                guessed.Add(step);
                length.Observe(next, held: 0);
            }
        }

        Assert.InRange(guessed.Count, 2, 20);
        Assert.True(guessed[^1] - guessed[^2] > 16 * (guessed[^3] - guessed[^4]) || guessed[^1] - guessed[^2] >= 512);
    }

    [Fact]
    public void Comes_back_after_a_pause_where_guesses_hold_again()
    {
        var length = new DraftLength();
        while (length.Next(rowCost: 0.25) is > 0 and var failed)
        {
            length.Observe(failed, held: 0);
        }

        var steps = 0;
        for (; steps < 200; steps++)
        {
            var next = length.Next(rowCost: 0.25);
            length.Observe(next, next);
            if (next > 2)
            {
                break;
            }
        }

        Assert.InRange(steps, 1, 100);
    }
}
