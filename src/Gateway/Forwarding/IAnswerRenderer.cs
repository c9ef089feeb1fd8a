using System.Buffers;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>Renders one answer from a worker's events into the form of one API route. The calls come in this order, each event once.</summary>
internal interface IAnswerRenderer
{
    /// <summary>True: what is written goes to the client at once. False: the answer is one body, complete after the last call.</summary>
    bool IsStream { get; }

    /// <summary>Once for each prompt, before everything else of it.</summary>
    /// <param name="prompt">Which one, from 0. Choices are counted over all prompts: those of the second come after those of the first.</param>
    void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output);

    void Tokens(TokenChunk tokens, IBufferWriter<byte> output);

    /// <summary>Once for each choice, in the order in which they end.</summary>
    void Finished(CompletionFinished finished, IBufferWriter<byte> output);

    /// <summary>After the last choice.</summary>
    void Completed(IBufferWriter<byte> output);

    /// <summary>Instead of what is still missing: the answer fails after it has started.</summary>
    void Failed(ApiError error, IBufferWriter<byte> output);
}
