using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Engine.Sampling;
using Serving.Text.Tokenization;
using Serving.Worker.Loop;
using Serving.Worker.Models;

namespace Serving.Worker.Completions;

/// <summary>Gives a prompt back: its text, and the log probabilities of its tokens.</summary>
internal static class PromptEchoes
{
    /// <param name="sequence">Has its first answer token.</param>
    public static PromptEcho Of(ModelRuntime model, CompletionRequest request, ReadOnlySpan<int> prompt, SequenceHandle sequence)
    {
        bool isText = request.PromptCase == CompletionRequest.PromptOneofCase.Text;
        PromptEcho echo = new() { Text = isText ? request.Text : model.Tokenizer.Decode(prompt, skipSpecial: false) };
        if (sequence.PromptLogprobs is not { } logprobs)
        {
            return echo;
        }

        ITokenizer tokenizer = model.Tokenizer;
        bool isLeading = true;
        for (int place = 0; place < prompt.Length; place++)
        {
            // What was put around a text is no part of it. None of the text itself became special tokens.
            bool isAround = isText && tokenizer.IsSpecial(prompt[place]);
            ReadOnlySpan<byte> text = isAround ? [] : isLeading ? tokenizer.LeadingTokenBytes(prompt[place]) : tokenizer.TokenBytes(prompt[place]);
            isLeading &= tokenizer.IsSpecial(prompt[place]);
            TokenLogprobs token = new() { Token = new TokenProbability { Id = prompt[place], Text = ByteString.CopyFrom(text) } };
            if (place > 0)
            {
                ReadOnlySpan<TokenLogprob> all = logprobs[place - 1];
                token.Token.Logprob = all[0].Logprob;
                AnswerProbabilities.Add(token.Top, all[1..], tokenizer);
            }

            echo.Logprobs.Add(token);
        }

        return echo;
    }
}
