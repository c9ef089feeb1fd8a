using System.Text;
using System.Text.Json;

namespace Serving.Gateway.Tests.Support;

/// <summary>Sends files as forms.</summary>
internal static class Uploads
{
    public static Task<HttpResponseMessage> UploadAsync(this TestGateway gateway, string contents, string purpose = "user_data", string name = "a.txt", string? key = null) =>
        gateway.UploadAsync([("purpose", purpose)], Encoding.UTF8.GetBytes(contents), name, key);

    public static async Task<HttpResponseMessage> UploadAsync(
        this TestGateway gateway, (string Name, string Value)[] fields, byte[] contents, string name = "a.txt", string? key = null)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new ByteArrayContent(contents), "file", name);
        foreach (var field in fields)
        {
            form.Add(new StringContent(field.Value), field.Name);
        }

        return await gateway.PostAsync(form, key);
    }

    public static async Task<HttpResponseMessage> PostAsync(this TestGateway gateway, HttpContent form, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/files") { Content = form };
        request.Headers.Authorization = key is null ? null : new("Bearer", key);
        return await gateway.Client.SendAsync(request, TestTime.Limit());
    }

    /// <summary>The id of a file that is stored.</summary>
    public static async Task<string> StoreAsync(this TestGateway gateway, string contents, string purpose = "user_data", string? key = null)
    {
        using var response = await gateway.UploadAsync(contents, purpose, key: key);
        var file = await response.JsonAsync();
        Assert.True(response.IsSuccessStatusCode, file.ToString());
        return file.GetProperty("id").GetString()!;
    }

    public static List<string?> Ids(this JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("id").GetString())];
}
