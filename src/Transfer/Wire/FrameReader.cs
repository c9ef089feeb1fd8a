using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Serving.Transfer.Wire;

/// <summary>
/// Cuts a connection's bytes into frames. It receives as much as its buffer takes, so that one system call brings many frames, and hands out
/// frames in place. The buffer is small between transfers and comes from the shared pool.
/// </summary>
/// <param name="stop">Ends a wait for bytes; armed with <see cref="SilenceMax"/> for each receive, so it limits silence and not the whole.</param>
internal sealed class FrameReader(Socket socket, long seed, CancellationTokenSource stop) : IDisposable
{
    /// <summary>Enough for any frame but Data.</summary>
    private const int CapacityIdle = 512;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(CapacityIdle);
    private int _start;
    private int _end;
    private int _frameSize;

    /// <summary>Longest wait for bytes.</summary>
    public TimeSpan SilenceMax { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>Most payload bytes of a frame: known before the frame, never taken from it.</summary>
    public int LengthMax { get; private set; } = FrameText.LengthMax;

    /// <summary>The head of the frame that was read last.</summary>
    public FrameHeader Header { get; private set; }

    /// <summary>The payload of the frame that was read last; valid until the next read.</summary>
    public ReadOnlySpan<byte> Payload => _buffer.AsSpan(_start - Header.Length, Header.Length);

    /// <summary>Makes room for a transfer's frames.</summary>
    public void Grow(int lengthMax, int capacity)
    {
        LengthMax = Math.Max(lengthMax, FrameText.LengthMax);
        Resize(Math.Max(capacity, FrameHeader.Size + LengthMax));
    }

    /// <summary>Gives a transfer's room back.</summary>
    public void Shrink()
    {
        LengthMax = FrameText.LengthMax;
        Resize(Math.Max(CapacityIdle, _end - _start));
    }

    /// <exception cref="OperationCanceledException">The wait was stopped, or no byte came within <see cref="SilenceMax"/>.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<FrameRead> ReadAsync()
    {
        while (true)
        {
            FrameRead? found = TryTake();
            if (found is { } read)
            {
                return read;
            }

            int received = await ReceiveAsync();
            if (received <= 0)
            {
                return received == 0 && _start == _end ? FrameRead.Closed : FrameRead.Lost;
            }

            _end += received;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    /// <summary>Null: more bytes are needed.</summary>
    private FrameRead? TryTake()
    {
        int available = _end - _start;
        if (available < FrameHeader.Size)
        {
            return null;
        }

        if (_frameSize == 0)
        {
            Header = FrameHeader.Read(_buffer.AsSpan(_start));
            if ((uint)Header.Length > (uint)LengthMax)
            {
                return FrameRead.Damaged;
            }

            _frameSize = FrameHeader.Size + Header.Length;
        }

        if (available < _frameSize)
        {
            return null;
        }

        bool intact = FrameHeader.IsIntact(_buffer.AsSpan(_start, _frameSize), seed);
        _start += _frameSize;
        _frameSize = 0;
        return intact ? FrameRead.Frame : FrameRead.Damaged;
    }

    /// <summary>Bytes received; 0 at the end of the stream, −1 when the connection broke.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReceiveAsync()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_buffer.Length - _start < FrameHeader.Size + LengthMax)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        stop.CancelAfter(SilenceMax);
        try
        {
            return await socket.ReceiveAsync(_buffer.AsMemory(_end), stop.Token);
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            return -1;
        }
        finally
        {
            stop.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private void Resize(int capacity)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(capacity);
        _buffer.AsSpan(_start, _end - _start).CopyTo(buffer);
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (buffer, 0, _end - _start);
    }
}
