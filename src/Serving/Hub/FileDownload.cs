using System.Net;
using System.Net.Http.Headers;
using Serving.Cli.Machine;
using Serving.Cli.Models;

namespace Serving.Cli.Hub;

/// <summary>
/// Fetches one file into <c>IDENTITY.part</c>, goes on where an earlier try ended, and names it <c>IDENTITY</c> once its hash is right.
/// </summary>
internal sealed class FileDownload(HubClient client, ModelReference model, string commit, HubFile file, string folder, IPullProgress progress)
{
    private const int BufferBytes = 1 << 20;

    /// <summary>A server that sends a byte and hangs up makes progress each time; this ends it.</summary>
    private const int TriesMax = 200;

    private readonly string _part = PartOf(folder, file);

    public static string PartOf(string folder, HubFile file) => Path.Combine(folder, file.Identity + ".part");

    public static string WholeOf(string folder, HubFile file) => Path.Combine(folder, file.Identity);

    /// <summary>Bytes of the file that lie there already.</summary>
    public static long Present(string folder, HubFile file) =>
        File.Exists(WholeOf(folder, file)) ? file.Size : File.Exists(PartOf(folder, file)) ? Math.Min(file.Size, new FileInfo(PartOf(folder, file)).Length) : 0;

    /// <exception cref="ModelException">It cannot be had, or what came is not the file.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (File.Exists(WholeOf(folder, file)))
        {
            return;
        }

        await using (var output = new FileStream(_part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, BufferBytes))
        {
            using var hash = new ContentHash(file);
            await TakeUpAsync(output, hash, cancellation);
            await FetchAsync(output, hash, cancellation);
            await output.FlushAsync(cancellation);
            output.Flush(flushToDisk: true);
            if (hash.Finish() is var found && found != file.Identity)
            {
                output.Close();
                File.Delete(_part);
                throw new ModelException(
                    $"{file.Path}: what arrived is not the file: its {(file.Sha256 is null ? "git hash" : "sha256")} is {found}, the hub says {file.Identity}. It was deleted; pull again.");
            }
        }

        File.Move(_part, WholeOf(folder, file));
    }

    /// <summary>Hashes what an earlier pull left and stands behind it.</summary>
    private async Task TakeUpAsync(FileStream output, ContentHash hash, CancellationToken cancellation)
    {
        if (output.Length > file.Size)
        {
            output.SetLength(0);
        }

        var buffer = new byte[BufferBytes];
        int count;
        while ((count = await output.ReadAsync(buffer, cancellation)) > 0)
        {
            hash.Append(buffer.AsSpan(0, count));
        }

        progress.Advance(file, output.Length);
    }

    private async Task FetchAsync(FileStream output, ContentHash hash, CancellationToken cancellation)
    {
        var fruitless = 0;
        for (var tries = 1; output.Length < file.Size; tries++)
        {
            var before = output.Length;
            TimeSpan? retryAfter = null;
            ModelException failure;
            try
            {
                var range = before > 0 ? new RangeHeaderValue(before, null) : null;
                using var response = await client.SendAsync(client.FileUri(model, commit, file), range, cancellation);
                if (response.IsSuccessStatusCode)
                {
                    await CopyAsync(response, output, hash, cancellation);
                    failure = new ModelException($"{file.Path}: the connection ended after {ByteSize.Format(output.Length)} of {ByteSize.Format(file.Size)} again and again. Pull again to go on from there.");
                }
                else
                {
                    failure = HubErrors.Explain(response, model, client.Options);
                    retryAfter = client.RetryAfter(response);
                    if (!HubErrors.IsPassing(response.StatusCode))
                    {
                        throw failure;
                    }
                }
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException)
            {
                failure = new ModelException($"{file.Path}: {e.Message} ({ByteSize.Format(output.Length)} of {ByteSize.Format(file.Size)} are here; pull again to go on from there)", e);
            }

            fruitless = output.Length > before ? 0 : fruitless + 1;
            if (output.Length < file.Size && (tries >= TriesMax || !await client.MayRetryAsync(fruitless, retryAfter, cancellation)))
            {
                throw failure;
            }
        }
    }

    private async Task CopyAsync(HttpResponseMessage response, FileStream output, ContentHash hash, CancellationToken cancellation)
    {
        var skip = Skip(response, output.Length);
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[BufferBytes];
        while (await ReadInTimeAsync(body, buffer, cancellation) is > 0 and var count)
        {
            // A server that knows no ranges sends all again: what is here is passed over.
            var passed = (int)Math.Min(skip, count);
            skip -= passed;
            var fresh = buffer.AsMemory(passed, count - passed);
            if (fresh.Length > file.Size - output.Length)
            {
                throw new ModelException($"{file.Path}: more arrives than the {file.Size} bytes that the hub lists. Pull again; if it stays so, the hub is at fault.");
            }

            await output.WriteAsync(fresh, cancellation);
            hash.Append(fresh.Span);
            progress.Advance(file, fresh.Length);
        }
    }

    /// <summary>How many of the coming bytes are here already.</summary>
    private long Skip(HttpResponseMessage response, long present)
    {
        if (response.StatusCode != HttpStatusCode.PartialContent)
        {
            return present;
        }

        var range = response.Content.Headers.ContentRange;
        return range?.From is { } from && from <= present && (range.Length ?? file.Size) == file.Size
            ? present - from
            : throw new ModelException($"{file.Path}: asked for bytes from {present} on, the server sends {range}. Pull again; if it stays so, the hub is at fault.");
    }

    private async Task<int> ReadInTimeAsync(Stream body, byte[] buffer, CancellationToken cancellation)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stall.CancelAfter(client.Options.StallTimeMax);
        try
        {
            return await body.ReadAsync(buffer, stall.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"nothing arrived for {client.Options.StallTimeMax.TotalSeconds:0.#} s", e);
        }
        catch (IOException e)
        {
            throw new HttpRequestException($"the connection was cut: {e.Message}", e);
        }
    }
}
