using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Serving.Gateway.Http;

/// <summary>Writes server-sent events that have names.</summary>
internal static class ServerSentEvents
{
    /// <param name="name">Of the event; its JSON repeats it as <c>type</c>.</param>
    /// <param name="writeMembers">The members behind <c>type</c>.</param>
    public static void Write(IBufferWriter<byte> output, string name, Action<Utf8JsonWriter> writeMembers)
    {
        output.Write("event: "u8);
        Encoding.ASCII.GetBytes(name, output);
        output.Write("\ndata: "u8);
        using (var json = new Utf8JsonWriter(output, ApiJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, name);
            writeMembers(json);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }
}
