using Google.Protobuf;
using Serving.Contracts.Internal;

namespace Serving.Worker.Tests.HandOff;

/// <summary>What a decode worker answered: a status and its error, or the events of its stream.</summary>
internal sealed record Answer(int Status, RequestError? Error, IReadOnlyList<CompletionEvent> Events)
{
    public CompletionStarted Started => Events[0].Started;

    public CompletionFinished Finished => Events[^1].Finished;

    public int[] Tokens => [.. Events.Where(message => message.Tokens is not null).SelectMany(message => message.Tokens.Ids)];

    public string Text => string.Concat(Events.Where(message => message.Tokens is not null).Select(message => message.Tokens.Text));

    public IEnumerable<CompletionFinished> AllFinished => Events.Where(message => message.Finished is not null).Select(message => message.Finished);

    public string TextOf(int choice) => string.Concat(ChunksOf(choice).Select(chunk => chunk.Text));

    public IEnumerable<TokenLogprobs> LogprobsOf(int choice) => ChunksOf(choice).SelectMany(chunk => chunk.Logprobs);

    public double MeanLogprobOf(int choice) => LogprobsOf(choice).Average(token => token.Token.Logprob);

    public static async Task<Answer> AskAsync(WorkerUnderTest worker, CompletionRequest request, CancellationToken cancellation = default)
    {
        using HttpClient client = WorkerUnderTest.Client(worker.Address);
        using ByteArrayContent body = new(request.ToByteArray());
        using HttpResponseMessage response = await client.PostAsync(InternalApi.CompletionsRoute, body, cancellation);
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellation);
        if (response.Content.Headers.ContentType?.MediaType == InternalApi.ErrorContentType)
        {
            return new Answer((int)response.StatusCode, RequestError.Parser.ParseFrom(stream), []);
        }

        using MemoryStream whole = new();
        await stream.CopyToAsync(whole, cancellation);
        whole.Position = 0;
        List<CompletionEvent> events = [];
        while (whole.Position < whole.Length)
        {
            events.Add(CompletionEvent.Parser.ParseDelimitedFrom(whole));
        }

        return new Answer((int)response.StatusCode, null, events);
    }

    private IEnumerable<TokenChunk> ChunksOf(int choice) =>
        Events.Where(message => message.Tokens is not null && message.Tokens.Choice == choice).Select(message => message.Tokens);
}
