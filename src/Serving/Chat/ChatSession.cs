namespace Serving.Cli.Chat;

/// <summary>A conversation: remembers its turns, writes answers to <paramref name="output"/> as they come, and prompts, remarks and what the model thinks to <paramref name="remarks"/>.</summary>
internal sealed class ChatSession(ChatClient client, ChatRequest template, TextReader input, TextWriter output, TextWriter remarks)
{
    private readonly List<ChatMessage> _turns = [.. template.Messages];
    private CancellationTokenSource? _answer;

    /// <summary>Stops the answer that is being written.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryCancelAnswer()
    {
        var answer = Volatile.Read(ref _answer);
        answer?.Cancel();
        return answer is not null;
    }

    /// <summary>Asks one question.</summary>
    /// <exception cref="ApiException">The API refused it or the answer broke off.</exception>
    public async Task AskAsync(string question, CancellationToken cancellationToken)
    {
        _turns.Add(new ChatMessage("user", question));
        var answer = "";
        var isOpen = false;
        var isThinking = false;
        try
        {
            await foreach (var piece in client.AskAsync(template with { Messages = _turns }, cancellationToken))
            {
                if (isThinking && !piece.IsThought)
                {
                    await remarks.WriteLineAsync("\n");
                }

                isThinking = piece.IsThought;
                isOpen |= !isThinking;
                answer += isThinking ? "" : piece.Text;
                var writer = isThinking ? remarks : output;
                await writer.WriteAsync(piece.Text);
                await writer.FlushAsync(CancellationToken.None);
            }
        }
        finally
        {
            if (isThinking)
            {
                await remarks.WriteLineAsync();
            }

            if (isOpen)
            {
                await output.WriteLineAsync();
                await output.FlushAsync(CancellationToken.None);
                // Also a part of an answer is a turn that the next question may refer to.
                _turns.Add(new ChatMessage("assistant", answer));
            }
            else
            {
                _turns.RemoveAt(_turns.Count - 1);
            }
        }
    }

    /// <summary>Asks what the user types, line by line, until <c>/exit</c> or the end of the input.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await remarks.WriteLineAsync($"Talking to {template.Model}. /reset begins anew, /exit ends, Ctrl-C stops an answer.");
        while (await ReadAsync(stop) is { } line)
        {
            switch (line.Trim())
            {
                case "":
                    break;
                case "/exit" or "/quit":
                    return;
                case "/reset":
                    _turns.Clear();
                    _turns.AddRange(template.Messages);
                    break;
                case var question:
                    await AnswerAsync(question, stop);
                    break;
            }
        }
    }

    private async Task AnswerAsync(string question, CancellationToken stop)
    {
        using var answer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Volatile.Write(ref _answer, answer);
        try
        {
            await AskAsync(question, answer.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            await remarks.WriteLineAsync("(stopped)");
        }
        catch (ApiException e)
        {
            await remarks.WriteLineAsync(e.Message);
        }
        finally
        {
            Volatile.Write(ref _answer, null);
        }
    }

    private async Task<string?> ReadAsync(CancellationToken stop)
    {
        await remarks.WriteAsync("> ");
        await remarks.FlushAsync(stop);
        // Reading a terminal cannot be cancelled; the thread that waits for it ends with the process.
        return await Task.Run(input.ReadLine, stop).WaitAsync(stop);
    }
}
