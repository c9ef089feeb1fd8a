using System.Collections.Immutable;
using System.Text;
using CsCheck;
using Serving.Text.Tokenization;
using Serving.Worker.Completions;

namespace Serving.Worker.Tests.Completions;

/// <summary>Text of tokens that are single bytes, so that every border of a character and of a stop sequence is crossed.</summary>
public sealed class AnswerTextTests
{
    private static readonly ITokenizer _bytes = ByteTokenizer();

    private static readonly string[] _pieces = ["a", "b", "é", "€", "👍", "ab", "€a"];

    private static readonly Gen<string> Pieces = Gen.Int[0, _pieces.Length - 1].Select(i => _pieces[i]);

    /// <summary>Whatever is sent at any time is a beginning of the whole answer; nothing of the stop sequence ever is.</summary>
    [Fact]
    public void Sends_the_text_before_the_first_stop_sequence_and_never_a_part_of_it() =>
        Gen.Select(Pieces.Array[0, 12], Pieces.Array[1, 3].Select(string.Concat).Array[1, 4]).Sample(
            (parts, stops) =>
            {
                var whole = string.Concat(parts);
                var expected = Expected(whole, stops);
                var text = new AnswerText(_bytes, stops);
                var sent = new StringBuilder();
                foreach (var token in Encoding.UTF8.GetBytes(whole))
                {
                    sent.Append(text.Append(token));
                    Assert.StartsWith(sent.ToString(), expected, StringComparison.Ordinal);
                    if (text.StopSequence is not null)
                    {
                        break;
                    }
                }

                sent.Append(text.Finish());
                Assert.Equal(expected, sent.ToString());
                Assert.Equal(expected.Length < whole.Length, text.StopSequence is not null);
            },
            threads: 1);

    /// <summary>What is told of tokens gives away no text that is held back.</summary>
    [Fact]
    public void Counts_only_tokens_whose_text_is_sent() =>
        Gen.Select(Pieces.Array[0, 12], Pieces.Array[1, 3].Select(string.Concat).Array[0, 2]).Sample(
            (parts, stops) =>
            {
                var tokens = Encoding.UTF8.GetBytes(string.Concat(parts));
                var text = new AnswerText(_bytes, stops);
                var sent = new StringBuilder();
                foreach (var token in tokens)
                {
                    sent.Append(text.Append(token));
                    Assert.True(text.SentTokens <= Encoding.UTF8.GetByteCount(sent.ToString()), "a token is counted before its text is sent");
                    if (text.StopSequence is not null)
                    {
                        break;
                    }
                }

                sent.Append(text.Finish());
                Assert.Equal(Encoding.UTF8.GetByteCount(sent.ToString()), text.SentTokens);
            },
            threads: 1);

    [Fact]
    public void A_stop_sequence_inside_the_first_tokens_is_not_looked_for()
    {
        var text = new AnswerText(_bytes, ["ab"], minTokens: 2);

        Assert.Equal("abx", string.Concat("abx".Select(letter => text.Append(letter))));
        Assert.Null(text.StopSequence);
        Assert.Equal("", text.Append('a') + text.Append('b'));
        Assert.Equal("ab", text.StopSequence);
    }

    /// <summary>A token that holds both ends of a cut was seen in part, and counts.</summary>
    [Fact]
    public void A_token_that_is_sent_in_part_counts_at_the_end()
    {
        var text = new AnswerText(PairTokenizer(), ["b"]);

        Assert.Equal("a", text.Append(0));
        Assert.Equal(0, text.SentTokens);
        Assert.Equal("", text.Finish());
        Assert.Equal(1, text.SentTokens);
    }

    private static string Expected(string whole, string[] stops)
    {
        for (var end = 1; end <= whole.Length; end++)
        {
            var met = stops.Where(stop => whole[..end].EndsWith(stop, StringComparison.Ordinal)).MaxBy(stop => stop.Length);
            if (met is not null)
            {
                return whole[..(end - met.Length)];
            }
        }

        return whole;
    }

    private static ITokenizer ByteTokenizer() => Tokenizer([.. Enumerable.Range(0, 256).Select(ByteLetter)]);

    private static ITokenizer PairTokenizer() => Tokenizer(["ab"]);

    private static ITokenizer Tokenizer(ImmutableArray<string> tokens) => GgufTokenizer.Create(new GgufVocabulary
    {
        Model = "gpt2",
        Pre = "gpt-2",
        Tokens = tokens,
        Merges = ImmutableArray<string>.Empty,
    });

    /// <summary>GPT-2 writes a byte that is no printable letter as one from 256 on.</summary>
    private static string ByteLetter(int value)
    {
        static bool IsPrintable(int b) => b is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
        var letter = IsPrintable(value) ? value : 256 + Enumerable.Range(0, value).Count(b => !IsPrintable(b));
        return ((char)letter).ToString();
    }
}
