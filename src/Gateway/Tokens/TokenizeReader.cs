using System.Buffers;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Chat;
using Serving.Gateway.Generation;
using Serving.Gateway.Http;

namespace Serving.Gateway.Tokens;

/// <summary>Reads the body of <c>POST /tokenize</c>: a prompt, or messages as <c>POST /v1/chat/completions</c> takes them.</summary>
internal static class TokenizeReader
{
    private static readonly string[] _ofChats = ["tools", "tool_choice", "parallel_tool_calls", "add_generation_prompt", "chat_template_kwargs", "continue_final_message", "documents", "mm_processor_kwargs"];

    /// <summary>The request without its model. It means nothing where <see cref="RequestFields.Error"/> is set.</summary>
    public static TokenizeRequest Read(RequestFields fields)
    {
        var request = new TokenizeRequest { WithTexts = fields.Boolean("return_token_strs") ?? false };
        if (fields.Boolean("add_special_tokens") is { } addSpecialTokens)
        {
            request.AddSpecialTokens = addSpecialTokens;
        }

        var isChat = fields.TryGet("messages", out _);
        if (isChat)
        {
            request.Chat = ReadChat(fields);
        }

        if (!fields.TryGet("prompt", out var prompt))
        {
            if (!isChat)
            {
                fields.Fail("prompt", "is missing: send a text to tokenize, or 'messages'.");
            }

            return request;
        }

        if (isChat)
        {
            fields.Fail("prompt", "and 'messages' are both there: send one of them.");
        }
        else if (Array.Find(_ofChats, field => fields.TryGet(field, out _)) is { } field)
        {
            fields.Fail(field, "is a matter of 'messages': a prompt is tokenized as it is.");
        }
        else if (fields.Text("prompt", prompt) is { } text)
        {
            request.Text = text;
        }

        return request;
    }

    private static ChatPrompt ReadChat(RequestFields fields)
    {
        var messages = new ArrayBufferWriter<byte>();
        ChatMessagesReader.Read(fields, messages);
        var tools = ToolsReader.Read(fields);
        UnsupportedChatFields.CheckTemplate(fields);
        return new ChatPrompt
        {
            MessagesJson = ByteString.CopyFrom(messages.WrittenSpan),
            ToolsJson = tools.Json,
            TemplateArgumentsJson = TemplateArgumentsReader.Read(fields),
            AddGenerationPrompt = fields.Boolean("add_generation_prompt") ?? true,
        };
    }
}
