using Serving.Text.Tokenization.Models;

namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>One text on its way through the pre-tokenizers to the model: each stage hands its pieces to the next.</summary>
internal sealed class EncodeRun(IReadOnlyList<PreTokenizer> stages, ITokenModel model, List<int> output)
{
    /// <summary>Whether what is being split now starts the whole text.</summary>
    public bool AtTextStart { get; set; }

    public void Emit(int stage, ReadOnlySpan<char> piece)
    {
        if (piece.IsEmpty)
        {
            return;
        }

        if (stage == stages.Count)
        {
            model.Encode(piece, output);
            AtTextStart = false;
        }
        else
        {
            stages[stage].Split(piece, this, stage + 1);
        }
    }
}
