using System.Text;

namespace Serving.Text.Tokenization.Normalizers;

/// <summary>
/// Unicode's normalisation forms (UAX #15). .NET leaves them to ICU, which hosts in invariant mode do not load: there
/// <see cref="string.Normalize()"/> returns its input.
/// </summary>
internal sealed class UnicodeNormalizer(bool compose, bool compatibility) : Normalizer
{
    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int HangulCount = LeadCount * VowelCount * TailCount;

    public override string Normalize(string text)
    {
        if (IsNormalized(text))
        {
            return text;
        }

        List<Rune> runes = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, runes);
        }

        Order(runes);
        int count = compose ? Compose(runes) : runes.Count;
        StringBuilder result = new(text.Length);
        for (int i = 0; i < count; i++)
        {
            result.Append(runes[i]);
        }

        return result.ToString();
    }

    /// <summary>A quick check: true only for a text that stays as it is.</summary>
    private bool IsNormalized(string text)
    {
        char firstAffected = compatibility ? '\u00A0' : compose ? '\u0300' : '\u00C0';
        int from = text.AsSpan().IndexOfAnyInRange(firstAffected, '\uFFFF');
        for (int i = Math.Max(from, 0); from >= 0 && i < text.Length; i++)
        {
            if (text[i] >= firstAffected && (char.IsSurrogate(text[i]) || UnicodeData.IsAffected(text[i], compose, compatibility)))
            {
                return false;
            }
        }

        return true;
    }

    private void Decompose(int value, List<Rune> output)
    {
        int hangul = value - HangulBase;
        if (hangul is >= 0 and < HangulCount)
        {
            output.Add(new Rune(LeadBase + (hangul / (VowelCount * TailCount))));
            output.Add(new Rune(VowelBase + (hangul % (VowelCount * TailCount) / TailCount)));
            if (hangul % TailCount != 0)
            {
                output.Add(new Rune(TailBase + (hangul % TailCount)));
            }
        }
        else if (UnicodeData.TryDecompose(value, compatibility, out int[]? parts))
        {
            foreach (int part in parts)
            {
                Decompose(part, output);
            }
        }
        else
        {
            output.Add(new Rune(value));
        }
    }

    /// <summary>Sorts each run of combining characters by class, stably.</summary>
    private static void Order(List<Rune> runes)
    {
        for (int start = 0; start < runes.Count;)
        {
            int end = start;
            while (end < runes.Count && UnicodeData.CombiningClass(runes[end].Value) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                Rune[] ordered = [.. runes.GetRange(start, end - start).OrderBy(rune => UnicodeData.CombiningClass(rune.Value))];
                for (int i = 0; i < ordered.Length; i++)
                {
                    runes[start + i] = ordered[i];
                }
            }

            start = Math.Max(end, start + 1);
        }
    }

    /// <summary>Joins each character with the last starter before it where nothing between blocks it; returns the new count.</summary>
    private static int Compose(List<Rune> runes)
    {
        int count = 0;
        int starter = -1;
        int lastClass = 0;
        for (int i = 0; i < runes.Count; i++)
        {
            Rune rune = runes[i];
            int combiningClass = UnicodeData.CombiningClass(rune.Value);
            bool blocked = starter < 0 || (count - 1 > starter && (lastClass == 0 || lastClass >= combiningClass));
            if (!blocked && TryCompose(runes[starter].Value, rune.Value, out int composed))
            {
                runes[starter] = new Rune(composed);
                continue;
            }

            if (combiningClass == 0)
            {
                starter = count;
            }

            lastClass = combiningClass;
            runes[count++] = rune;
        }

        return count;
    }

    private static bool TryCompose(int first, int second, out int composed)
    {
        int lead = first - LeadBase;
        int vowel = second - VowelBase;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
        {
            composed = HangulBase + (((lead * VowelCount) + vowel) * TailCount);
            return true;
        }

        int hangul = first - HangulBase;
        int tail = second - TailBase;
        if (hangul is >= 0 and < HangulCount && hangul % TailCount == 0 && tail is > 0 and < TailCount)
        {
            composed = first + tail;
            return true;
        }

        return UnicodeData.TryCompose(first, second, out composed);
    }
}
