using Serving.Gateway.Generation;
using Serving.Storage;

namespace Serving.Gateway.Responses;

/// <summary>The name of a response, from which those of its parts are made.</summary>
internal sealed record ResponseId(string Value)
{
    private const string Prefix = "resp_";

    public static ResponseId New(DateTimeOffset now) => new(StoreId.New(Prefix, now));

    /// <summary>The name of a block of the answer: the same wherever the answer is rendered.</summary>
    public string Of(AnswerBlock block)
    {
        var kind = block.Kind switch
        {
            AnswerBlockKind.Text => "msg_",
            AnswerBlockKind.Reasoning => "rs_",
            _ => "fc_",
        };
        return $"{kind}{Value[Prefix.Length..]}{block.Index:x3}";
    }

    /// <summary>The name of an item of the input that has none.</summary>
    public string OfInput(string kind, int index) => $"{kind}{Value[Prefix.Length..]}i{index:x4}";
}
