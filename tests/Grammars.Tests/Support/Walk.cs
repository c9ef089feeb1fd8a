using System.Numerics;
using System.Text;

namespace Serving.Grammars.Tests.Support;

/// <summary>Answers that a matcher allows.</summary>
internal static class Walk
{
    public const int TokensMax = 4_000;

    /// <summary>Whether a text is one of a grammar, byte by byte.</summary>
    public static bool Accepts(Grammar grammar, string text)
    {
        var matcher = new GrammarMatcher(new CompiledGrammar(grammar, Vocabularies.OfBytesAnd()), new[] { 256 });
        return Encoding.UTF8.GetBytes(text).All(value => matcher.TryAdvance(value)) && matcher.IsComplete;
    }

    /// <summary>The tokens that may come next.</summary>
    public static List<int> Allowed(GrammarMatcher matcher)
    {
        var mask = new ulong[matcher.MaskWords];
        matcher.Fill(mask);
        var ids = new List<int>();
        for (var word = 0; word < mask.Length; word++)
        {
            for (var bits = mask[word]; bits != 0; bits &= bits - 1)
            {
                ids.Add((word * 64) + BitOperations.TrailingZeroCount(bits));
            }
        }

        return ids;
    }

    /// <summary>
    /// A random answer: at each place any token that the mask allows, the end where it is allowed and in doubt half of the time, so that texts end. Null: it got too long.
    /// </summary>
    public static string? Random(CompiledGrammar grammar, int endToken, Random random)
    {
        var matcher = new GrammarMatcher(grammar, new[] { endToken });
        var text = new List<byte>();
        while (matcher.Count < TokensMax)
        {
            var allowed = Allowed(matcher);
            Assert.True(allowed.Count > 0, $"Nothing may come after: {Encoding.UTF8.GetString([.. text])}");
            Assert.Equal(matcher.IsComplete, allowed.Contains(endToken));
            if (matcher.IsComplete && (allowed.Count == 1 || random.Next(2) == 0))
            {
                return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. text]);
            }

            allowed.Remove(endToken);
            var token = Choose(grammar, allowed, matcher.Count, random);
            Assert.True(matcher.TryAdvance(token));
            text.AddRange(grammar.Vocabulary.TokenBytes[token].Span);
        }

        return null;
    }

    /// <summary>Any, but more and more often one that closes something.</summary>
    private static int Choose(CompiledGrammar grammar, List<int> allowed, int count, Random random)
    {
        if (random.Next(100) < Math.Min(count, 90))
        {
            var closing = allowed.Where(id => grammar.Vocabulary.TokenBytes[id].Span.IndexOfAny("\"]}"u8) >= 0).ToList();
            if (closing.Count > 0)
            {
                return closing[random.Next(closing.Count)];
            }
        }

        return allowed[random.Next(allowed.Count)];
    }
}
