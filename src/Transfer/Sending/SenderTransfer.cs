using System.Buffers;
using Serving.Transfer.Wire;

namespace Serving.Transfer.Sending;

/// <summary>
/// One attempt to send one transfer over one connection: Open, Accept, then all data in large writes while a read waits for the receiver's
/// word, which is an Ack at the end or an Abort at any time.
/// </summary>
internal sealed class SenderTransfer(SenderConnection connection, SenderContext context, LeaseId lease, KvTransferShape shape, IKvSource source)
    : IDisposable
{
    /// <summary>Bytes of one write, unless a single frame is larger.</summary>
    private const int BatchBytes = 256 * 1024;

    /// <summary>How long a write under way may still take after a cancellation, so that the notice follows on a frame's border.</summary>
    private static readonly TimeSpan _abortGrace = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _readStop = new(Timeout.InfiniteTimeSpan, context.Time);
    private readonly CancellationTokenSource _writeStop = new(Timeout.InfiniteTimeSpan, context.Time);
    private readonly long _startedAt = context.Time.GetTimestamp();
    private volatile bool _answered;
    private uint _generation;
    private long _bytes;

    /// <summary>Null when the connection was gone before the receiver answered.</summary>
    public async Task<TransferResult?> RunAsync(CancellationToken cancel)
    {
        using CancellationTokenRegistration cancelled = cancel.UnsafeRegister(static transfer => ((SenderTransfer)transfer!).OnCancelled(), this);
        using FrameReader reader = new(connection.Socket, connection.Seed, _readStop) { SilenceMax = context.Options.ProgressTimeout };
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(BatchBytes, FrameHeader.Size + shape.LayerBlockBytes));
        try
        {
            FrameRead opened = await OpenAsync(reader, buffer);
            if (opened is FrameRead.Closed or FrameRead.Lost)
            {
                return null;
            }

            if (opened == FrameRead.Damaged || reader.Header.Lease != lease)
            {
                return End(TransferStatus.Corrupt, "the receiver answered with a damaged frame");
            }

            if (reader.Header.Type == FrameType.Refuse)
            {
                return End(TransferStatus.Refused, FrameText.Read(reader.Payload));
            }

            if (reader.Header.Type != FrameType.Accept)
            {
                return Judge(opened, reader);
            }

            _generation = reader.Header.Generation;
            return await StreamAsync(reader, buffer, cancel);
        }
        catch (OperationCanceledException)
        {
            return await GiveUpAsync(cancel);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose()
    {
        _readStop.Dispose();
        _writeStop.Dispose();
    }

    private async Task<FrameRead> OpenAsync(FrameReader reader, byte[] buffer)
    {
        shape.Write(buffer.AsSpan(FrameHeader.Size));
        new FrameHeader(FrameType.Open, lease, Length: KvTransferShape.WireSize).Seal(buffer, connection.Seed);
        return await WriteAsync(buffer.AsMemory(0, FrameHeader.Size + KvTransferShape.WireSize)) ? await reader.ReadAsync() : FrameRead.Lost;
    }

    private async Task<TransferResult> StreamAsync(FrameReader reader, byte[] buffer, CancellationToken cancel)
    {
        // While data flows the receiver has nothing to say: its silence counts from the end on.
        reader.SilenceMax = Timeout.InfiniteTimeSpan;
        Task<FrameRead> answer = AwaitAnswerAsync(reader);
        try
        {
            bool sent = await WriteDataAsync(buffer, answer, cancel) && await WriteEndAsync(buffer);
            reader.SilenceMax = sent ? context.Options.ProgressTimeout : _abortGrace;
            _readStop.CancelAfter(reader.SilenceMax);
            return Judge(await answer, reader);
        }
        catch (OperationCanceledException) when (_answered)
        {
            return Judge(await answer, reader);
        }
        finally
        {
            // The reader's buffer goes back to the pool after this: nothing may still be reading into it.
            await _readStop.CancelAsync();
            await answer.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>The receiver's last word; it ends a write that still waits, because the receiver may have stopped reading.</summary>
    private async Task<FrameRead> AwaitAnswerAsync(FrameReader reader)
    {
        FrameRead read = await reader.ReadAsync();
        _answered = true;
        await _writeStop.CancelAsync();
        return read;
    }

    /// <summary>False when there is no use in going on: the receiver has spoken, or the connection broke.</summary>
    private async Task<bool> WriteDataAsync(byte[] buffer, Task<FrameRead> answer, CancellationToken cancel)
    {
        int frameSizeMax = FrameHeader.Size + shape.LayerBlockBytes;
        int filled = 0;
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            for (int block = 0; block < shape.Blocks; block++)
            {
                filled += WriteFrame(buffer.AsSpan(filled), layer, block);
                if (filled + frameSizeMax <= buffer.Length)
                {
                    continue;
                }

                cancel.ThrowIfCancellationRequested();
                if (answer.IsCompleted || !await WriteAsync(buffer.AsMemory(0, filled)))
                {
                    return false;
                }

                filled = 0;
            }
        }

        return !answer.IsCompleted && await WriteAsync(buffer.AsMemory(0, filled));
    }

    private int WriteFrame(Span<byte> frame, int layer, int block)
    {
        int slots = shape.SlotsOf(block);
        int length = slots * shape.BytesPerTokenPerLayer;
        source.Read(layer, block, slots, frame.Slice(FrameHeader.Size, length));
        new FrameHeader(FrameType.Data, lease, _generation, length, layer, block, slots).Seal(frame, connection.Seed);
        _bytes += length;
        return FrameHeader.Size + length;
    }

    private ValueTask<bool> WriteEndAsync(byte[] buffer)
    {
        new FrameTotals(_bytes, shape.Frames).Write(buffer.AsSpan(FrameHeader.Size));
        new FrameHeader(FrameType.End, lease, _generation, FrameTotals.Size).Seal(buffer, connection.Seed);
        return WriteAsync(buffer.AsMemory(0, FrameHeader.Size + FrameTotals.Size));
    }

    /// <summary>Arms the silence limit anew for each write: a slow receiver is fine, one that takes nothing is not.</summary>
    private ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        _writeStop.CancelAfter(context.Options.ProgressTimeout);
        return connection.Socket.TrySendAllAsync(bytes, _writeStop.Token);
    }

    /// <summary>Translates the receiver's last word.</summary>
    private TransferResult Judge(FrameRead read, FrameReader reader) => read switch
    {
        FrameRead.Closed or FrameRead.Lost => End(TransferStatus.PeerLost, "the receiver's connection broke"),
        FrameRead.Damaged => End(TransferStatus.Corrupt, "the receiver answered with a damaged frame"),
        _ when reader.Header.Lease != lease => End(TransferStatus.Corrupt, "the receiver answered for another transfer"),
        _ => reader.Header.Type switch
        {
            FrameType.Ack when reader.Header.Generation == _generation && _bytes == shape.Bytes => End(TransferStatus.Completed, string.Empty),
            FrameType.Abort => End(
                reader.Header.Status == TransferStatus.Corrupt ? TransferStatus.Corrupt : TransferStatus.Aborted,
                "the receiver gave up: " + FrameText.Read(reader.Payload)),
            _ => End(TransferStatus.Corrupt, $"the receiver answered with a frame of type {(int)reader.Header.Type}"),
        },
    };

    /// <summary>Somebody cancelled, or the receiver was silent: tells it why, if it still listens.</summary>
    private async Task<TransferResult> GiveUpAsync(CancellationToken cancel)
    {
        TransferResult result = cancel.IsCancellationRequested
            ? End(TransferStatus.Aborted, "cancelled by the sender")
            : End(TransferStatus.PeerLost, $"the receiver was silent for {context.Options.ProgressTimeout.TotalSeconds:0.###} s");

        // A write that was cut short has left half a frame: a notice after it could not be told from its payload.
        if (!_writeStop.IsCancellationRequested)
        {
            using CancellationTokenSource limit = new(_abortGrace, context.Time);
            try
            {
                FrameHeader notice = new(FrameType.Abort, lease, _generation, Status: result.Status);
                await connection.Socket.TrySendFrameAsync(notice, result.Reason, connection.Seed, limit.Token);
            }
            catch (OperationCanceledException)
            {
                // The receiver does not read: the closed connection has to tell it.
            }
        }

        return result;
    }

    private void OnCancelled()
    {
        _readStop.Cancel();
        _writeStop.CancelAfter(_abortGrace);
    }

    private TransferResult End(TransferStatus status, string reason) =>
        new(status, _bytes, context.Time.GetElapsedTime(_startedAt), reason);
}
