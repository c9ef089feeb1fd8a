using Serving.Contracts.Internal;
using Serving.Grammars;

namespace Serving.Worker.Models;

/// <summary>Compiles the constraints of a model's requests, off the engine's thread, and keeps those that were asked for last.</summary>
internal sealed class GrammarCompiler
{
    private const int GrammarsMax = 32;

    /// <summary>Masks that are computed before a grammar is used; what is left comes as it is needed.</summary>
    private static readonly TimeSpan _prepareMax = TimeSpan.FromMilliseconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<Constraint, LinkedListNode<(Constraint Key, Task<CompiledGrammar> Grammar)>> _known = [];
    private readonly LinkedList<(Constraint Key, Task<CompiledGrammar> Grammar)> _byUse = [];
    private readonly Task<TokenVocabulary> _vocabulary;

    /// <param name="readVocabulary">Is called at once, on another thread.</param>
    public GrammarCompiler(Func<TokenVocabulary> readVocabulary) => _vocabulary = Task.Run(() =>
    {
        TokenVocabulary vocabulary = readVocabulary();
        WarmUp(vocabulary);
        return vocabulary;
    });

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

    /// <summary>The first grammar pays for the code's own compilation, and for masks that all have in common.</summary>
    private static void WarmUp(TokenVocabulary vocabulary)
    {
        try
        {
            new CompiledGrammar(Grammar.JsonObject(), vocabulary).Prepare(_prepareMax);
        }
        catch (GrammarException)
        {
            // A vocabulary without braces or digits: no request will want JSON of it.
        }
    }

    private async Task<CompiledGrammar> CompileNowAsync(Constraint constraint)
    {
        CompiledGrammar compiled = new(ConstraintGrammar.Of(constraint), await _vocabulary);
        compiled.Prepare(_prepareMax);
        return compiled;
    }
}
