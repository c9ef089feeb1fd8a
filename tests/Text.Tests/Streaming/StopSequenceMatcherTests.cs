using CsCheck;
using Serving.Text.Streaming;
using Xunit;

namespace Serving.Text.Tests.Streaming;

public sealed class StopSequenceMatcherTests
{
    private static readonly Gen<string> _words = Gen.Char['a', 'c'].Array[0, 14].Select(letters => new string(letters));

    [Fact]
    public void Finds_a_stop_sequence_across_pieces()
    {
        StopSequenceMatcher matcher = new(["</s>"]);

        Assert.Equal(new StopMatch("a", null), matcher.Append("a<"));
        Assert.Equal(new StopMatch("", null), matcher.Append("/s"));
        Assert.Equal(new StopMatch("", "</s>"), matcher.Append(">b"));
        Assert.Equal(new StopMatch("", "</s>"), matcher.Append("c"));
        Assert.Equal("", matcher.Flush());
    }

    [Fact]
    public void Lets_go_of_what_can_no_longer_become_a_stop_sequence()
    {
        StopSequenceMatcher matcher = new(["aab"]);

        Assert.Equal("", matcher.Append("aa").Text);
        Assert.Equal("a", matcher.Append("a").Text);
        Assert.Equal("aac", matcher.Append("c").Text);
    }

    [Fact]
    public void Hands_out_what_was_held_back_at_the_end()
    {
        StopSequenceMatcher matcher = new(["stop"]);
        matcher.Append("don't sto");

        Assert.Equal("sto", matcher.Flush());
    }

    [Fact]
    public void Passes_text_through_without_stop_sequences() => Assert.Equal(new StopMatch("text", null), new StopSequenceMatcher([]).Append("text"));

    [Fact]
    public void Refuses_an_empty_stop_sequence() => Assert.Throws<ArgumentException>(() => new StopSequenceMatcher(["a", ""]));

    [Fact]
    public void Agrees_with_a_naive_search_at_every_split() =>
        Gen.Select(_words, _words.Where(word => word.Length > 0).Array[1, 4]).Sample(
            (text, stops) =>
            {
                (string expected, string? stop) = Search(text, stops);
                for (int split = 0; split <= text.Length; split++)
                {
                    StopSequenceMatcher matcher = new(stops);
                    StopMatch first = matcher.Append(text[..split]);
                    StopMatch second = matcher.Append(text[split..]);
                    if (first.Text + second.Text + matcher.Flush() != expected || second.StopSequence != stop)
                    {
                        return false;
                    }
                }

                return true;
            },
            iter: 3000);

    [Fact]
    public void Allocates_nothing_for_a_piece_that_passes_whole()
    {
        StopSequenceMatcher matcher = new(["<|end|>", "\n\n"]);
        matcher.Append("warm");
        long before = GC.GetAllocatedBytesForCurrentThread();
        matcher.Append(" token");

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static (string Text, string? Stop) Search(string text, string[] stops)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string? stop = stops.Where(sequence => text[..end].EndsWith(sequence, StringComparison.Ordinal)).MaxBy(sequence => sequence.Length);
            if (stop is not null)
            {
                return (text[..(end - stop.Length)], stop);
            }
        }

        return (text, null);
    }
}
