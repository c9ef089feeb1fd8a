namespace Serving.Gateway.WarmUp;

/// <summary>Tells when more warm-up rounds would gain nothing: when the last few times to the first token are all near the best.</summary>
internal sealed class WarmUpProgress
{
    private const int SteadyRounds = 3;
    private const double NearBest = 1.1;

    private readonly Queue<TimeSpan> _last = new();
    private TimeSpan _best = TimeSpan.MaxValue;

    public int Rounds { get; private set; }

    public bool IsSteady => _last.Count == SteadyRounds && _last.All(time => time <= NearBest * _best);

    public void Add(TimeSpan timeToFirstToken)
    {
        Rounds++;
        _best = timeToFirstToken < _best ? timeToFirstToken : _best;
        _last.Enqueue(timeToFirstToken);
        if (_last.Count > SteadyRounds)
        {
            _last.Dequeue();
        }
    }
}
