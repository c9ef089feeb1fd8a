namespace Serving.Engine.Speculation;

/// <summary>
/// How many tokens to guess for one sequence. A guess pays while it is likelier to hold than the share of a step's time that its row costs: with one stream
/// a step's time goes to reading the weights and a row costs little, with many streams it costs nearly as much as the token is worth. Where guesses do not pay
/// they stop, and are tried again after ever longer pauses.
/// </summary>
public sealed class DraftLength
{
    /// <summary>Most guesses of a sequence in one step.</summary>
    public const int Max = 8;

    private const double Learning = 0.25;
    private const int PauseMin = 16;
    private const int PauseMax = 512;

    // How likely a guess is to hold if all before it did.
    private double _acceptance = 0.6;
    private int _pause = PauseMin;
    private int _pauseLeft;

    /// <summary>Guesses that pay in the next step; 0 while they pause.</summary>
    /// <param name="rowCost">What one more row costs, as a share of what a token costs now: in (0, 1].</param>
    public int Next(double rowCost)
    {
        if (_pauseLeft > 0)
        {
            return --_pauseLeft == 0 ? 1 : 0;
        }

        var length = 0;
        for (var likelihood = _acceptance; length < Max && likelihood > rowCost; likelihood *= _acceptance)
        {
            length++;
        }

        if (length == 0)
        {
            _pauseLeft = _pause;
            _pause = Math.Min(2 * _pause, PauseMax);
        }

        return length;
    }

    /// <summary>Learns how many of the guesses of a step held.</summary>
    public void Observe(int guessed, int held)
    {
        for (var i = 0; i < Math.Min(guessed, held + 1); i++)
        {
            _acceptance += Learning * ((i < held ? 1 : 0) - _acceptance);
        }

        if (held > 0)
        {
            _pause = PauseMin;
        }
    }
}
