namespace Serving.Text.Tokenization.Models;

/// <summary>The last stage of encoding: writes one piece of text as token ids.</summary>
internal interface ITokenModel
{
    void Encode(ReadOnlySpan<char> piece, List<int> output);
}
