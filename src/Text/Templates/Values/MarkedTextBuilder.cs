using System.Text;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Builds a <see cref="MarkedString"/> from parts and keeps the marks of each. Every character is charged to the render's budget.</summary>
internal sealed class MarkedTextBuilder(RenderBudget budget)
{
    private readonly StringBuilder _text = new();
    private readonly List<TextRange> _trusted = [];

    public int Length => _text.Length;

    public MarkedTextBuilder Append(ReadOnlySpan<char> text, bool trusted)
    {
        budget.ChargeText(text.Length, _text.Length);
        if (trusted)
        {
            MarkTrusted(_text.Length, text.Length);
        }

        _text.Append(text);
        return this;
    }

    public MarkedTextBuilder Append(MarkedString part)
    {
        int start = _text.Length;
        budget.ChargeText(part.Length, start);
        _text.Append(part.Text);
        if (part.IsTrusted)
        {
            MarkTrusted(start, part.Length);
            return this;
        }

        foreach (TextRange range in part.MixedRanges)
        {
            MarkTrusted(start + range.Start, range.Length);
        }

        return this;
    }

    public MarkedTextBuilder Append(MarkedString source, int start, int length) => length == 0 ? this : Append(source.Slice(start, length));

    public MarkedTextBuilder AppendRepeated(char character, int count, bool trusted)
    {
        if (count > 0)
        {
            budget.ChargeText(count, _text.Length);
            if (trusted)
            {
                MarkTrusted(_text.Length, count);
            }

            _text.Append(character, count);
        }

        return this;
    }

    public MarkedString ToMarkedString() => new(_text.ToString(), [.. _trusted]);

    public PromptText ToPromptText() => new(_text.ToString(), _trusted.ToArray());

    private void MarkTrusted(int start, int length)
    {
        if (length == 0)
        {
            return;
        }

        if (_trusted.Count > 0 && _trusted[^1].End == start)
        {
            _trusted[^1] = new TextRange(_trusted[^1].Start, _trusted[^1].Length + length);
        }
        else
        {
            _trusted.Add(new TextRange(start, length));
        }
    }
}
