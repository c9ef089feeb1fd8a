using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace Serving.Transfer.Wire;

internal static class SocketExtensions
{
    /// <summary>Sends everything; false when the connection broke.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<bool> TrySendAllAsync(this Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                int sent = await socket.SendAsync(bytes, stop);
                bytes = bytes[sent..];
            }

            return true;
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Receives exactly as many bytes as the buffer has; false when the connection ended or broke before.</summary>
    public static async ValueTask<bool> TryReceiveExactlyAsync(this Socket socket, Memory<byte> buffer, CancellationToken stop)
    {
        try
        {
            while (!buffer.IsEmpty)
            {
                int received = await socket.ReceiveAsync(buffer, stop);
                if (received == 0)
                {
                    return false;
                }

                buffer = buffer[received..];
            }

            return true;
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Sends one frame with at most a reason as its payload.</summary>
    public static ValueTask<bool> TrySendFrameAsync(this Socket socket, FrameHeader header, string reason, long seed, CancellationToken stop)
    {
        byte[] frame = new byte[FrameHeader.Size + Encoding.ASCII.GetMaxByteCount(Math.Min(reason.Length, FrameText.LengthMax))];
        int length = FrameText.Write(reason, frame.AsSpan(FrameHeader.Size));
        (header with { Length = length }).Seal(frame, seed);
        return socket.TrySendAllAsync(frame.AsMemory(0, FrameHeader.Size + length), stop);
    }
}
