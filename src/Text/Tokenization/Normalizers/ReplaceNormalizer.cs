using System.Text;
using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization.Normalizers;

/// <summary>Replaces every match of a pattern.</summary>
internal sealed class ReplaceNormalizer(ISplitPattern pattern, string content) : Normalizer
{
    public override string Normalize(string text)
    {
        ISplitPattern matches = pattern.ForText(text);
        StringBuilder? result = null;
        int position = 0;
        int from = 0;
        while (from <= text.Length && matches.TryFind(text, from, out int start, out int end))
        {
            result ??= new StringBuilder(text.Length);
            result.Append(text, position, start - position).Append(content);
            position = end;
            from = end > start ? end : end + 1;
        }

        return result is null ? text : result.Append(text, position, text.Length - position).ToString();
    }
}
