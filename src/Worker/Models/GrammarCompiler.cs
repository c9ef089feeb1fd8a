using Serving.Contracts.Internal;
using Serving.Grammars;

namespace Serving.Worker.Models;

/// <summary>Compiles the constraints of a model's requests, off the engine's thread, and keeps those that were asked for last.</summary>
internal sealed class GrammarCompiler
{
    private const int GrammarsMax = 32;

    /// <summary>Masks that are computed while the prompt is; what is left comes as it is needed.</summary>
    private static readonly TimeSpan _prepareMax = TimeSpan.FromMilliseconds(60);

    /// <summary>Masks that any schema may need, computed when the worker starts.</summary>
    private static readonly TimeSpan _warmUpMax = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly Dictionary<Constraint, LinkedListNode<(Constraint Key, Task<CompiledGrammar> Grammar)>> _known = [];
    private readonly LinkedList<(Constraint Key, Task<CompiledGrammar> Grammar)> _byUse = [];
    private readonly Task<TokenVocabulary> _vocabulary;
    private int _isPreparing;

    /// <param name="readVocabulary">Is called at once, on another thread.</param>
    public GrammarCompiler(Func<TokenVocabulary> readVocabulary) => _vocabulary = Task.Run(() =>
    {
        TokenVocabulary vocabulary = readVocabulary();
        GrammarWarmUp.Run(vocabulary, _warmUpMax);
        return vocabulary;
    });

    /// <summary>Ends when constraints no longer wait for the vocabulary; fails when it cannot be read, as every constraint does then.</summary>
    public Task Ready => _vocabulary;

    /// <summary>The grammar of a constraint; known already, or being compiled.</summary>
    /// <returns>Fails with a <see cref="GrammarException"/> when the constraint cannot be held.</returns>
    public Task<CompiledGrammar> CompileAsync(Constraint constraint)
    {
        lock (_lock)
        {
            if (_known.TryGetValue(constraint, out LinkedListNode<(Constraint Key, Task<CompiledGrammar> Grammar)>? known))
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                return known.Value.Grammar;
            }

            Constraint key = constraint.Clone();
            Task<CompiledGrammar> compiled = Task.Run(() => CompileNowAsync(key));
            _known.Add(key, _byUse.AddFirst((key, compiled)));
            if (_known.Count > GrammarsMax)
            {
                _known.Remove(_byUse.Last!.Value.Key);
                _byUse.RemoveLast();
            }

            return compiled;
        }
    }

    private async Task<CompiledGrammar> CompileNowAsync(Constraint constraint)
    {
        CompiledGrammar compiled = new(ConstraintGrammar.Of(constraint), await _vocabulary);

        // Nobody waits for it, and it takes no more than one processor from those who decode: an answer that comes first has its mask computed.
        if (Interlocked.Exchange(ref _isPreparing, 1) == 0)
        {
            _ = Task.Run(() => Prepare(compiled));
        }

        return compiled;
    }

    private void Prepare(CompiledGrammar compiled)
    {
        try
        {
            compiled.Prepare(_prepareMax);
        }
        finally
        {
            Volatile.Write(ref _isPreparing, 0);
        }
    }
}
