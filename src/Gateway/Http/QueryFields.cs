using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Unicode;

namespace Serving.Gateway.Http;

/// <summary>Reads the parameters of a query. As of a body's fields, the first mistake is kept and names its parameter; names that are nobody's are ignored.</summary>
internal sealed class QueryFields
{
    private readonly IQueryCollection _query;

    public QueryFields(HttpRequest request)
    {
        _query = request.Query;
        CheckUtf8(request.QueryString);
    }

    public ApiError? Error { get; private set; }

    public void Fail(string name, string message, string? code = null) => Error ??= ApiError.Invalid($"'{name}' {message}", name, code);

    /// <summary>Null: it is not there.</summary>
    public string? Text(string name)
    {
        if (!_query.TryGetValue(name, out var values))
        {
            return null;
        }

        if (values.Count > 1)
        {
            Fail(name, "is there twice.");
        }

        return values[^1];
    }

    /// <summary>Null: it is not there, or is none in the range.</summary>
    public int? Integer(string name, int min, int max)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
        {
            return number;
        }

        Fail(name, $"must be an integer from {min} to {max}.");
        return null;
    }

    public bool? Boolean(string name)
    {
        switch (Text(name))
        {
            case null:
                return null;
            case "true":
                return true;
            case "false":
                return false;
            default:
                Fail(name, "must be true or false.");
                return null;
        }
    }

    /// <summary>All values of an array, which clients write as <c>name=a&amp;name=b</c> or <c>name[]=a&amp;name[]=b</c>.</summary>
    public IEnumerable<string> Texts(string name) => _query[name].Concat(_query[$"{name}[]"]).Select(value => value ?? "");

    /// <summary>The pairs of an object, which is written as <c>name[key]=value</c>.</summary>
    public Dictionary<string, string> Pairs(string name)
    {
        if (_query.ContainsKey(name))
        {
            Fail(name, $"is an object, which a query writes as {name}[key]=value.");
        }

        return _query.Keys.Where(key => key.StartsWith($"{name}[", StringComparison.Ordinal) && key.EndsWith(']'))
            .ToDictionary(key => key[(name.Length + 1)..^1], key => Text(key) ?? "");
    }

    /// <summary>What is no UTF-8 behind its percent signs would be taken as it is written, and found nowhere.</summary>
    private void CheckUtf8(QueryString query)
    {
        if (!query.HasValue || !query.Value!.Contains('%', StringComparison.Ordinal))
        {
            return;
        }

        foreach (var pair in query.Value[1..].Split('&'))
        {
            var encoded = Encoding.UTF8.GetBytes(pair);
            if (!Utf8.IsValid(WebUtility.UrlDecodeToBytes(encoded, 0, encoded.Length)))
            {
                Fail(WebUtility.UrlDecode(pair.Split('=')[0]).Replace("[]", "", StringComparison.Ordinal), "is no valid UTF-8.");
            }
        }
    }
}
