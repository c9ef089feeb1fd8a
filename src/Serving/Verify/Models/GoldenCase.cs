namespace Serving.Cli.Verify.Models;

/// <summary>A prompt and how the reference goes on.</summary>
/// <param name="Name">What the case is called in reports.</param>
/// <param name="Text">The prompt as text, with what the tokenizer makes of it in <paramref name="PromptIds"/>; null where the prompt is a chat.</param>
/// <param name="PromptIds">The prompt's tokens.</param>
/// <param name="Greedy">The tokens that the reference chooses then.</param>
/// <param name="Margins">For each of them how far its logit lies above the second one's.</param>
/// <param name="Logits">The reference's logits of the prompt's last positions, one row each; empty where none are recorded.</param>
internal sealed record GoldenCase(string Name, string? Text, int[] PromptIds, int[] Greedy, float[] Margins, float[][] Logits);

/// <summary>A text with the reference's best log-probabilities after each token, and how far llama.cpp is from it on the same file.</summary>
/// <param name="TopIds">For each position the most probable tokens.</param>
/// <param name="TopLogProbabilities">Their log-probabilities, as halves.</param>
/// <param name="Nll">The reference's mean negative log-likelihood of a token.</param>
/// <param name="PeerMeanKl">llama.cpp's mean divergence from the reference.</param>
/// <param name="PeerTop1Agreement">The share of positions where llama.cpp's first choice is the reference's.</param>
internal sealed record GoldenText(
    string Name, int[] Tokens, int[][] TopIds, float[][] TopLogProbabilities, double Nll, double PeerMeanKl, double PeerTop1Agreement);

/// <summary>A text and its tokens.</summary>
/// <param name="Parsed">With special tokens recognised in the text.</param>
/// <param name="Plain">With special tokens taken as text, where that is recorded.</param>
internal sealed record GoldenTokens(string Text, int[] Parsed, int[]? Plain);

/// <summary>What a reference made of a model.</summary>
/// <param name="PeerLargestError">llama.cpp's largest logit error on the same file, where recorded.</param>
internal sealed record GoldenModel(
    IReadOnlyList<GoldenCase> Cases, IReadOnlyList<GoldenText> Texts, IReadOnlyList<GoldenTokens> Tokens, double? PeerLargestError);
