using Serving.Gateway.Http;

namespace Serving.Gateway.Generation;

/// <summary>Reads which model is meant.</summary>
internal static class ModelReader
{
    private const int NameLengthMax = 256;

    /// <summary>The name as the client wrote it; empty: an error says so.</summary>
    public static string Read(RequestFields fields)
    {
        var model = ReadOptional(fields) ?? "";
        if (model.Length == 0)
        {
            fields.Fail("model", "is missing: name one of the models that GET /v1/models lists.");
        }

        return model;
    }

    /// <summary>The same where it may be left out: null.</summary>
    public static string? ReadOptional(RequestFields fields)
    {
        var model = fields.Text("model", NameLengthMax);
        if (model?.Length == 0)
        {
            fields.Fail("model", "is empty: name one of the models that GET /v1/models lists.");
        }

        return model;
    }
}
