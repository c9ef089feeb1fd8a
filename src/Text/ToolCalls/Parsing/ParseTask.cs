using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Serving.Text.ToolCalls.Parsing;

/// <summary>
/// The work of an async method that waits for nothing but input: it runs on the caller's stack and goes on inside <see cref="AnswerReader.Append"/>. No
/// thread, scheduler or context is involved, which is what sets it apart from a <see cref="Task"/>. So a parser of text that comes in pieces reads like one
/// of text that is there.
/// </summary>
[AsyncMethodBuilder(typeof(ParseTaskBuilder<>))]
internal sealed class ParseTask<T> : INotifyCompletion
{
    private Action? _next;
    private T? _result;
    private Exception? _exception;

    public bool IsCompleted { get; private set; }

    /// <summary>Resumes the method; set when it first waits.</summary>
    internal Action? MoveNext { get; set; }

    public ParseTask<T> GetAwaiter() => this;

    public T GetResult() => _exception is null ? _result! : throw new InvalidOperationException("A parser failed.", _exception);

    public void OnCompleted(Action continuation) => _next = continuation;

    internal void Complete(T? result, Exception? exception)
    {
        _result = result;
        _exception = exception;
        IsCompleted = true;
        _next?.Invoke();
    }
}

/// <summary>What the compiler makes a <see cref="ParseTask{T}"/> with.</summary>
[SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "The compiler calls them on an instance.")]
internal readonly struct ParseTaskBuilder<T>
{
    private ParseTaskBuilder(ParseTask<T> task) => Task = task;

    public ParseTask<T> Task { get; }

    public static ParseTaskBuilder<T> Create() => new(new ParseTask<T>());

    public void Start<TMachine>(ref TMachine machine)
        where TMachine : IAsyncStateMachine => machine.MoveNext();

    public void SetStateMachine(IAsyncStateMachine machine)
    {
    }

    public void SetResult(T result) => Task.Complete(result, null);

    public void SetException(Exception exception) => Task.Complete(default, exception);

    public void AwaitOnCompleted<TAwaiter, TMachine>(ref TAwaiter awaiter, ref TMachine machine)
        where TAwaiter : INotifyCompletion
        where TMachine : IAsyncStateMachine =>
        // The first time copies the machine from the stack to the heap, where it stays.
        awaiter.OnCompleted(Task.MoveNext ??= ((IAsyncStateMachine)machine).MoveNext);

    public void AwaitUnsafeOnCompleted<TAwaiter, TMachine>(ref TAwaiter awaiter, ref TMachine machine)
        where TAwaiter : ICriticalNotifyCompletion
        where TMachine : IAsyncStateMachine => AwaitOnCompleted(ref awaiter, ref machine);
}
