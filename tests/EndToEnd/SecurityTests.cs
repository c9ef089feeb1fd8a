using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Serving.EndToEnd;

[Collection(SharedPlatformCollection.Name)]
public sealed class SecurityTests(SharedPlatform shared)
{
    private readonly Platform _platform = shared.Platform;

    [Fact]
    public async Task Internal_ports_refuse_whoever_lacks_the_cluster_secret()
    {
        IReadOnlyList<Uri> addresses = await Cluster.AddressesAsync(_platform);
        Assert.True(addresses.Count >= 2, "a prefill and a decode worker should be registered");
        foreach (Uri address in addresses)
        {
            foreach (string? token in new[] { null, "wrong" })
            {
                using HttpClient stranger = Cluster.InternalClient(address, token);
                using HttpResponseMessage response = await stranger.GetAsync("/internal/state");
                Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            }
        }
    }

    [Fact]
    public async Task Redis_refuses_whoever_lacks_its_password()
    {
        EndPoint endPoint = await Cluster.RedisEndPointAsync(_platform);
        using TcpClient client = new();
        await client.ConnectAsync((IPEndPoint)endPoint);
        await client.GetStream().WriteAsync("*1\r\n$4\r\nKEYS\r\n"u8.ToArray());
        byte[] answer = new byte[64];
        int count = await client.GetStream().ReadAsync(answer);
        Assert.StartsWith("-NOAUTH", Encoding.ASCII.GetString(answer, 0, count));
    }

    [Fact]
    public void The_secret_is_readable_by_its_owner_only()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_platform.Data, "cluster.secret")));
    }

    [Fact]
    public async Task A_foreign_host_name_is_refused()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/models") { Headers = { Host = "rebound.example:80" } };
        using HttpResponseMessage response = await _platform.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    public async Task A_foreign_web_page_is_refused(string origin)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/models");
        request.Headers.Add("Origin", origin);
        using HttpResponseMessage response = await _platform.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_key_that_is_sent_to_the_keyless_port_is_ignored()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/models") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "sk-any") } };
        using HttpResponseMessage response = await _platform.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
