using System.Text;
using System.Text.Json.Nodes;

namespace Serving.Gateway.Tests.Support;

/// <summary>A route that takes a JSON body.</summary>
/// <param name="Valid">A body that is answered with 2xx.</param>
internal sealed record JsonEndpoint(string Path, string Valid, params BodyField[] Fields)
{
    /// <summary>As the gateway has it unless told otherwise.</summary>
    public const int BodyBytesMax = 4 << 20;

    public static string Deep { get; } = new string('[', 100) + new string(']', 100);

    public IEnumerable<InvalidRequest> Mistakes => [.. OfBody(), .. Fields.SelectMany(OfField)];

    /// <summary>The valid body with a field added or changed; a value that is no JSON stays as it is.</summary>
    public string With(string field, string value)
    {
        var rest = Without(field)[1..];
        return $"{{\"{field}\":{value}{(rest.Length > 1 ? "," : "")}{rest}";
    }

    public string Without(string field)
    {
        var body = JsonNode.Parse(Valid)!.AsObject();
        body.Remove(field);
        return body.ToJsonString();
    }

    private IEnumerable<InvalidRequest> OfField(BodyField field)
    {
        foreach (var (mistake, value) in field.Wrong)
        {
            yield return Bad(mistake, field.Name, With(field.Name, value));
        }

        if (field.IsRequired)
        {
            yield return Bad(Mistake.Missing, field.Name, Without(field.Name));
        }

        // Both are found before anyone looks at fields.
        yield return Bad(Mistake.DeepNesting, null, With(field.Name, Deep));
        yield return Bad(Mistake.Duplicate, null, With(field.Name, $"1,\"{field.Name}\":1"));
    }

    private IEnumerable<InvalidRequest> OfBody()
    {
        foreach (var body in new[] { "", "not JSON", "{", "7", "[]", "\"text\"", "null", "{} {}", "{\"a\":1,}", "{/*c*/}", "\u0000", $"{Valid}]" })
        {
            yield return Bad(Mistake.Syntax, null, body);
        }

        yield return Bad(Mistake.Duplicate, null, With("nobodys", "1,\"nobodys\":2"));
        yield return Bad(Mistake.Duplicate, null, With("nobodys", "[{\"a\":1,\"\\u0061\":2}]"));
        yield return Bad(Mistake.DeepNesting, null, With("nobodys", Deep));
        yield return Bad(Mistake.DeepNesting, null, With("nobodys", string.Concat(Enumerable.Repeat("{\"a\":", 100)) + "1" + new string('}', 100)));
        yield return Bad(Mistake.LoneSurrogate, null, With("\\ud800", "1"));
        foreach (var bytes in new byte[][] { [0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80] })
        {
            // One that is cut off, one that never was: a name that nobody reads, so that only the encoding is wrong.
            var marked = Encoding.UTF8.GetBytes(With("nobodys", "\"?\""));
            var place = Array.IndexOf(marked, (byte)'?');
            yield return Bad(Mistake.InvalidUtf8, null, "") with { Body = [.. marked[..place], .. bytes, .. marked[(place + 1)..]] };
        }

        yield return Bad(Mistake.TooLarge, null, With("nobodys", $"\"{new string('x', BodyBytesMax)}\"")) with { Status = 413 };
        foreach (var type in new[] { null, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "nonsense" })
        {
            yield return Bad(Mistake.MediaType, null, Valid) with { Status = 415, ContentType = type };
        }

        yield return Bad(Mistake.MediaType, null, Valid) with { Status = 415, ContentEncoding = "gzip" };
    }

    private InvalidRequest Bad(Mistake mistake, string? param, string body) => new(mistake, HttpMethod.Post, Path, 400, param, Encoding.UTF8.GetBytes(body));
}
