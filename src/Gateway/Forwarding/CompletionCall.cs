using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>One request on its way: what it asks, where it is placed and what has become of it. One owner at a time.</summary>
internal sealed class CompletionCall : IDisposable
{
    private volatile IAnswerEvents? _events;
    private volatile bool _isDisposed;

    /// <summary>A monotonic stamp of the request's arrival.</summary>
    public required long ArrivedAt { get; init; }

    public required CallOrigin Origin { get; init; }

    public required GenerationProfile Profile { get; init; }

    /// <summary>The served model's name.</summary>
    public required string Model { get; init; }

    /// <summary>One for each prompt.</summary>
    public required IReadOnlyList<PromptLeg> Legs { get; init; }

    public required IAnswerRenderer Renderer { get; init; }

    /// <summary>What comes of the legs, once one of them has begun. Disposing it tells the workers to stop, also when it comes after the call has been disposed.</summary>
    public IAnswerEvents? Events
    {
        get => _events;
        set
        {
            _events = value;
            Interlocked.MemoryBarrier();
            if (_isDisposed)
            {
                value?.Dispose();
            }
        }
    }

    /// <summary>The stamp of the first event; 0 before.</summary>
    public long FirstTokenAt { get; set; }

    /// <summary>Answers of all prompts.</summary>
    public int Choices => Profile.Choices * Legs.Count;

    /// <summary>Answer tokens of all choices, once all have ended.</summary>
    public int? CompletionTokens { get; set; }

    public ApiError? Failure { get; set; }

    /// <summary>True once the last event, or the failure instead of it, has been rendered.</summary>
    public bool IsOver => CompletionTokens is not null || Failure is not null;

    public void Dispose()
    {
        _isDisposed = true;
        Interlocked.MemoryBarrier();
        _events?.Dispose();
    }
}
