using System.Text;
using System.Text.Json;

namespace Serving.Text.ToolCalls.Parsing;

/// <summary>What forms have in common that write calls, or their arguments, as JSON.</summary>
internal abstract class JsonCallGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options, string reasoningBegin = "<think>", string reasoningEnd = "</think>")
    : AnswerGrammar(input, output, options, reasoningBegin, reasoningEnd)
{
    /// <summary>
    /// Reads calls, one object each, perhaps in an array. The record has begun before, with what stands before the first call; where that one turns out to
    /// be none, all of it is text.
    /// </summary>
    /// <param name="separator">What stands between calls that are not in an array; 0: there is one call only.</param>
    /// <param name="endMarker">What stands after the last call.</param>
    protected async ParseTask<bool> ReadObjectsAsync(int separator, int endMarker)
    {
        await Input.SkipSpaceAsync();
        bool isArray = await Input.TakeAsync('[');
        while (true)
        {
            await Input.SkipSpaceAsync();
            if (!await ReadObjectAsync())
            {
                RecordIsText();
                return false;
            }

            EndCall(endMarker);
            if (IsOver)
            {
                return true;
            }

            Input.StartRecord();
            await Input.SkipSpaceAsync();
            if (await Input.PeekAsync() == endMarker)
            {
                break;
            }

            if (!await Input.TakeAsync(isArray ? ',' : separator))
            {
                await Input.TakeAsync(isArray ? ']' : AnswerReader.End);
                await Input.SkipSpaceAsync();
                break;
            }
        }

        Input.EndRecord();
        if (await Input.TakeAsync(endMarker))
        {
            EndMarkerSeen();
        }

        return true;
    }

    /// <summary>Reads <c>{"name": …, "arguments": …}</c>, the members in any order and others beside them; <c>parameters</c> is another word for arguments.</summary>
    /// <returns>False where it is no call. True once a call has begun, whatever then becomes of it.</returns>
    private async ParseTask<bool> ReadObjectAsync()
    {
        string? name = null;
        string? arguments = null;
        if (!await Input.TakeAsync('{'))
        {
            return false;
        }

        do
        {
            if (await ReadKeyAsync() is not { } key)
            {
                return false;
            }

            if (key == "name" && name is null)
            {
                name = await ReadStringAsync();
                if (name is null || !IsFunction(name))
                {
                    return false;
                }
            }
            else if (key is not ("arguments" or "parameters") || arguments is not null)
            {
                await CopyValueAsync(new StringBuilder());
            }
            else if (name is null)
            {
                StringBuilder early = new();
                await CopyValueAsync(early);
                arguments = early.ToString();
            }
            else
            {
                return await ReadArgumentsAsync(name) && await ReadOtherMembersAsync();
            }

            await Input.SkipSpaceAsync();
        }
        while (await Input.TakeAsync(','));

        return name is not null && await Input.TakeAsync('}') && BeginWithArguments(name, arguments ?? "null");
    }

    /// <summary>Reads the rest of a call's object, once the call has begun: what does not belong there is text.</summary>
    private async ParseTask<bool> ReadOtherMembersAsync()
    {
        Input.StartRecord();
        await Input.SkipSpaceAsync();
        while (await Input.TakeAsync(',') && await ReadKeyAsync() is not null)
        {
            await CopyValueAsync(new StringBuilder());
            await Input.SkipSpaceAsync();
        }

        if (await Input.TakeAsync('}'))
        {
            Input.EndRecord();
        }
        else
        {
            RecordIsText();
        }

        return true;
    }

    /// <summary>A member's name and its colon; null where there is none.</summary>
    private async ParseTask<string?> ReadKeyAsync()
    {
        await Input.SkipSpaceAsync();
        string? key = await ReadStringAsync();
        await Input.SkipSpaceAsync();
        if (key is null || !await Input.TakeAsync(':'))
        {
            return null;
        }

        await Input.SkipSpaceAsync();
        return key;
    }

    /// <summary>Begins the call, and copies its arguments as they come.</summary>
    protected async ParseTask<bool> ReadArgumentsAsync(string name)
    {
        if (await Input.PeekAsync() == '{')
        {
            Input.EndRecord();
            Output.BeginCall(name);
            await CopyValueAsync(into: null);
            return true;
        }

        StringBuilder value = new();
        await CopyValueAsync(value);
        return BeginWithArguments(name, value.ToString());
    }

    /// <summary>Copies one JSON value as it is written. Whether it is valid is not looked at: only where it ends.</summary>
    /// <param name="into">Null: the arguments of the call that has begun.</param>
    private async ParseTask<bool> CopyValueAsync(StringBuilder? into)
    {
        int depth = 0;
        bool inString = false;
        bool isEscaped = false;
        while (true)
        {
            int symbol = await Input.PeekAsync();
            if (symbol == AnswerReader.End || (!inString && IsAfterValue(symbol, depth)))
            {
                return false;
            }

            Input.Take();
            Copy(Input.TextOf(symbol), into);
            if (isEscaped)
            {
                isEscaped = false;
            }
            else if (symbol == '"')
            {
                inString = !inString;
            }
            else if (inString)
            {
                isEscaped = symbol == '\\';
            }
            else if (symbol is '{' or '[')
            {
                depth++;
            }
            else if (symbol is '}' or ']')
            {
                depth--;
            }

            if (depth == 0 && !inString && symbol is '"' or '}' or ']')
            {
                return true;
            }
        }
    }

    /// <summary>What no value has outside of a string: a marker, and, after a number or a word, what follows it.</summary>
    private static bool IsAfterValue(int symbol, int depth) =>
        symbol >= AnswerReader.FirstMarker || (depth == 0 && (symbol is ',' or '}' or ']' || AnswerReader.IsSpace(symbol)));

    private void Copy(ReadOnlySpan<char> text, StringBuilder? into)
    {
        if (into is null)
        {
            Output.Arguments(text);
        }
        else
        {
            into.Append(text);
        }
    }

    /// <summary>Begins the call with arguments that are there already: an object, a string that holds one, or none.</summary>
    private bool BeginWithArguments(string name, string json)
    {
        string? arguments = json switch
        {
            "null" => "{}",
            ['{', ..] => json,
            ['"', ..] => Unquote(json),
            _ => null,
        };
        if (arguments is null)
        {
            return false;
        }

        Input.EndRecord();
        Output.BeginCall(name);
        Output.Arguments(arguments.Length == 0 ? "{}" : arguments);
        return true;
    }

    /// <summary>Null where there is no valid JSON string.</summary>
    private async ParseTask<string?> ReadStringAsync()
    {
        if (await Input.PeekAsync() != '"')
        {
            return null;
        }

        StringBuilder json = new();
        return await CopyValueAsync(json) ? Unquote(json.ToString()) : null;
    }

    private static string? Unquote(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.String ? document.RootElement.GetString() : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, or half of a surrogate pair.
            return null;
        }
    }
}
