using System.Buffers;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>Renders an answer for its client and has it stored whole before the client sees its end.</summary>
/// <param name="whole">Makes of the answer what is stored; where nothing is streamed, the client gets the same.</param>
/// <param name="stream">What the client gets as it comes; null: nothing.</param>
/// <param name="keep">Stores the whole answer, or says why that failed.</param>
internal sealed class KeepingRenderer(
    IAnswerRenderer whole, IAnswerRenderer? stream, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<ApiError?>> keep) : IAnswerKeeper
{
    private readonly ArrayBufferWriter<byte> _whole = new(1024);

    public bool IsStream => stream is not null;

    public void Started(int prompt, CompletionStarted started, IBufferWriter<byte> output)
    {
        whole.Started(prompt, started, _whole);
        stream?.Started(prompt, started, output);
    }

    public void Tokens(TokenChunk tokens, IBufferWriter<byte> output)
    {
        whole.Tokens(tokens, _whole);
        stream?.Tokens(tokens, output);
    }

    public void Finished(CompletionFinished finished, IBufferWriter<byte> output)
    {
        whole.Finished(finished, _whole);
        stream?.Finished(finished, output);
    }

    public ValueTask<ApiError?> KeepAsync(CancellationToken cancellationToken)
    {
        whole.Completed(_whole);
        return keep(_whole.WrittenMemory, cancellationToken);
    }

    public void Completed(IBufferWriter<byte> output)
    {
        if (stream is null)
        {
            output.Write(_whole.WrittenSpan);
        }
        else
        {
            stream.Completed(output);
        }
    }

    public void Failed(ApiError error, IBufferWriter<byte> output) => (stream ?? whole).Failed(error, output);
}
