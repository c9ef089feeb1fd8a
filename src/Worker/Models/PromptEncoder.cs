using Serving.Contracts.Internal;
using Serving.Text;
using Serving.Text.Templates;
using Serving.Text.Tokenization;

namespace Serving.Worker.Models;

/// <summary>Makes prompt tokens of what a client sent: the chat template first, then the tokenizer. Only what the template wrote itself becomes special tokens.</summary>
internal sealed class PromptEncoder(ITokenizer tokenizer, ChatTemplate? template, string? bosToken, string? eosToken, TimeProvider time)
{
    /// <summary>The prompt's tokens, or what is wrong with the request.</summary>
    public (int[] Tokens, RequestError? Error) Encode(CompletionRequest request) => request.PromptCase switch
    {
        CompletionRequest.PromptOneofCase.Chat => EncodeChat(request.Chat),
        CompletionRequest.PromptOneofCase.Text => (Encode(PromptText.Plain(request.Text), addSpecialTokens: true), null),
        CompletionRequest.PromptOneofCase.Tokens => ([.. request.Tokens.Ids], null),
        _ => ([], Refuse("The request has no prompt.", "prompt")),
    };

    private (int[] Tokens, RequestError? Error) EncodeChat(ChatPrompt chat)
    {
        if (template is null)
        {
            return ([], Refuse("This model has no chat template: it completes text, and cannot chat.", "model"));
        }

        try
        {
            PromptText text = template.Render(new ChatTemplateInput
            {
                MessagesJson = chat.MessagesJson.Memory,
                ToolsJson = chat.ToolsJson.Memory,
                ArgumentsJson = chat.TemplateArgumentsJson.Memory,
                AddGenerationPrompt = chat.AddGenerationPrompt,
                BosToken = bosToken,
                EosToken = eosToken,
                TimeProvider = time,
            });
            return (Encode(text, addSpecialTokens: false), null);
        }
        catch (TemplateException exception) when (exception.Kind == TemplateErrorKind.Raised)
        {
            return ([], Refuse($"The model's chat template refuses these messages: {exception.Reason}", "messages"));
        }
        catch (TemplateException exception)
        {
            return ([], Refuse($"The model's chat template cannot render these messages: {exception.Message}", "messages"));
        }
    }

    private int[] Encode(PromptText text, bool addSpecialTokens)
    {
        List<int> tokens = [];
        tokenizer.Encode(text, addSpecialTokens, tokens);
        return [.. tokens];
    }

    private static RequestError Refuse(string message, string param) =>
        new() { Fault = Fault.Client, Status = 400, Message = message, Param = param, Code = "invalid_prompt" };
}
