using System.Net;
using System.Text;

namespace Serving.Serving.Tests.Chat;

/// <summary>Answers each request with the next of the given answers and remembers what was asked.</summary>
internal sealed class FakeApi(params (HttpStatusCode Status, string Body)[] answers) : HttpMessageHandler
{
    private int _count;

    public List<string> Requests { get; } = [];

    public static (HttpStatusCode Status, string Body) Stream(params string[] texts)
    {
        var events = texts.Select(text => "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n");
        return (HttpStatusCode.OK, string.Concat(events) + "data: [DONE]\n\n");
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Add(request.Content is null ? request.RequestUri!.ToString() : await request.Content.ReadAsStringAsync(cancellationToken));
        var (status, body) = answers[_count++];
        return new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8) };
    }
}
