using System.Text;
using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls.Forms;

/// <summary>
/// GPT-OSS's harmony: an answer is messages, each <c>&lt;|channel|&gt;NAME&lt;|message|&gt;TEXT&lt;|end|&gt;</c>. The channel <c>analysis</c> is the model's
/// thinking, <c>final</c> the text, <c>commentary</c> text too, and a recipient <c>to=functions.NAME</c> in the header makes a message of any channel a call,
/// whose text is the arguments. Source: OpenAI's "harmony response format".
/// </summary>
internal sealed class HarmonyGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options) : AnswerGrammar(input, output, options)
{
    public const string Start = "<|start|>";
    public const string Channel = "<|channel|>";
    public const string Constrain = "<|constrain|>";
    public const string Message = "<|message|>";
    public const string End = "<|end|>";
    public const string Call = "<|call|>";
    public const string Return = "<|return|>";

    /// <summary>The call's end marker is a token that ends the answer.</summary>
    public static CallSyntax Syntax { get; } = new()
    {
        BeforeName = $"{Channel}commentary to={Namespace}",
        BeforeArguments = $" {Constrain}json{Message}",
        TextBegin = $"{Channel}final{Message}",
    };

    /// <summary>A longer header is none.</summary>
    private const int HeaderCharsMax = 512;

    private const string Namespace = "functions.";
    private const string FunctionPrefix = $"to={Namespace}";

    private readonly int _start = input.Marker(Start);
    private readonly int _channel = input.Marker(Channel);
    private readonly int _message = input.Marker(Message);
    private readonly int[] _ends = [input.Marker(End), input.Marker(Call), input.Marker(Return)];

    public override async ParseTask<bool> ReadAsync()
    {
        // The prompt ends inside of the first header, after the role.
        bool inHeader = true;
        while (!IsOver && await Input.PeekAsync() != AnswerReader.End)
        {
            if (inHeader || await Input.TakeAsync(_start))
            {
                await ReadMessageAsync();
                inHeader = false;
            }
            else
            {
                // Between messages there is nothing.
                await ReadBodyAsync(Output.Content);
            }
        }

        return true;
    }

    protected override bool BeginsCalls(int symbol) => false;

    protected override ParseTask<bool> ReadCallsAsync() => throw new NotSupportedException("Harmony's calls are messages.");

    private async ParseTask<bool> ReadMessageAsync()
    {
        Input.StartRecord();
        if (await ReadHeaderAsync() is not { } header)
        {
            RecordIsText();
            return await ReadBodyAsync(Output.Content);
        }

        string? recipient = header.Split(' ').FirstOrDefault(part => part.StartsWith("to=", StringComparison.Ordinal));
        if (recipient?.StartsWith(FunctionPrefix, StringComparison.Ordinal) == true && IsFunction(recipient[FunctionPrefix.Length..]))
        {
            Input.EndRecord();
            return await ReadCallAsync(recipient[FunctionPrefix.Length..]);
        }

        if (recipient is not null)
        {
            RecordIsText();
            return await ReadBodyAsync(Output.Content);
        }

        Input.EndRecord();
        if (!header.Contains(" analysis", StringComparison.Ordinal))
        {
            return await ReadBodyAsync(Output.Content);
        }

        Output.BeginReasoning();
        return await ReadBodyAsync(Output.Reasoning);
    }

    /// <summary>The header's words, each after a space; null where none ends in time.</summary>
    private async ParseTask<string?> ReadHeaderAsync()
    {
        StringBuilder header = new();
        while (header.Length <= HeaderCharsMax)
        {
            int symbol = await Input.PeekAsync();
            bool isPlain = header.Length == 0 && symbol is not ' ' and not 'a' and < AnswerReader.FirstMarker;
            if (symbol == AnswerReader.End || isPlain || _ends.Contains(symbol))
            {
                return null;
            }

            Input.Take();
            if (symbol == _message)
            {
                return header.ToString();
            }

            // Markers separate words as spaces do.
            header.Append(symbol < AnswerReader.FirstMarker ? Input.TextOf(symbol) : " ");
        }

        return null;
    }

    private async ParseTask<bool> ReadCallAsync(string name)
    {
        Output.BeginCall(name);
        bool isEmpty = true;
        await ReadBodyAsync(text =>
        {
            isEmpty = false;
            Output.Arguments(text);
        });
        if (isEmpty)
        {
            Output.Arguments("{}");
        }

        EndCall(AnswerReader.End);
        return true;
    }

    /// <summary>Reads up to the message's end, or to the next one's beginning where the end is missing.</summary>
    private async ParseTask<bool> ReadBodyAsync(Action<ReadOnlySpan<char>> write)
    {
        while (true)
        {
            int symbol = await Input.PeekAsync();
            if (symbol == AnswerReader.End || symbol == _start)
            {
                return true;
            }

            Input.Take();
            if (_ends.Contains(symbol))
            {
                return true;
            }

            write(Input.TextOf(symbol));
        }
    }
}
