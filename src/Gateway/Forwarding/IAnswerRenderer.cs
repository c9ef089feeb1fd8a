using System.Buffers;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>Renders one answer from a worker's events into the form of one API route. The calls come in this order, each event once.</summary>
internal interface IAnswerRenderer
{
    /// <summary>True: what is written goes to the client at once. False: the answer is one body, complete after the last call.</summary>
    bool IsStream { get; }

    void Started(CompletionStarted started, IBufferWriter<byte> output);

    void Tokens(TokenChunk tokens, IBufferWriter<byte> output);

    void Finished(CompletionFinished finished, IBufferWriter<byte> output);

    /// <summary>Instead of <see cref="Finished"/>: the answer fails after it has started.</summary>
    void Failed(ApiError error, IBufferWriter<byte> output);
}
