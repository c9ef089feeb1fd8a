using Serving.Contracts.Internal;
using Serving.Text;
using Serving.Text.Templates;
using Serving.Text.Tokenization;
using Serving.Text.ToolCalls;

namespace Serving.Worker.Models;

/// <summary>A prompt as the model reads it.</summary>
/// <param name="EndsInReasoning">The chat template has opened the model's thinking: the answer begins inside.</param>
internal readonly record struct EncodedPrompt(int[] Tokens, bool EndsInReasoning = false);

/// <summary>Makes prompt tokens of what a client sent: the chat template first, then the tokenizer. Only what the template wrote itself becomes special tokens.</summary>
internal sealed class PromptEncoder(
    ITokenizer tokenizer, ChatTemplate? template, AnswerFormat format, string? bosToken, string? eosToken, TimeProvider time)
{
    private readonly ToolPrompt? _tools = template is null ? null : ToolPrompt.Of(template, bosToken, eosToken);

    /// <summary>The prompt's tokens, or what is wrong with the request.</summary>
    public (EncodedPrompt Prompt, RequestError? Error) Encode(CompletionRequest request) => request.PromptCase switch
    {
        CompletionRequest.PromptOneofCase.Chat => Encode(request.Chat),
        CompletionRequest.PromptOneofCase.Text => EncodeText(request.Text),
        CompletionRequest.PromptOneofCase.Tokens => (new EncodedPrompt([.. request.Tokens.Ids]), null),
        _ => (default, Refuse("The request has no prompt.", "prompt")),
    };

    /// <summary>The tokens of a text that is to be gone on with. An empty one is the beginning of a text.</summary>
    private (EncodedPrompt Prompt, RequestError? Error) EncodeText(string text)
    {
        int[] tokens = Encode(text);
        int? begin = tokenizer.BeginOfTextId ?? tokenizer.EndOfTextId;
        return tokens.Length > 0 ? (new EncodedPrompt(tokens), null)
            : begin is { } token ? (new EncodedPrompt([token]), null)
            : (default, Refuse("The prompt is empty, and this model has no token that begins a text.", "prompt"));
    }

    /// <summary>A text's tokens. None of it becomes special tokens; <paramref name="addSpecialTokens"/> puts those around it that the model expects.</summary>
    public int[] Encode(string text, bool addSpecialTokens = true) => Encode(PromptText.Plain(text), addSpecialTokens);

    /// <summary>
    /// The tokens of messages, or what is wrong with them. What the model expects around a text the template writes; <paramref name="addSpecialTokens"/>
    /// adds it once more.
    /// </summary>
    public (EncodedPrompt Prompt, RequestError? Error) Encode(ChatPrompt chat, bool addSpecialTokens = false)
    {
        if (template is null)
        {
            return (default, Refuse("This model has no chat template: it completes text, and cannot chat.", "model"));
        }

        if (chat.ReasoningEffort is { Value: not "none" } effort && !template.UsesReasoningEffort)
        {
            return (default, Refuse($"'{effort.Param}' is '{effort.Value}', but this model's chat template cannot be told how much to reason: leave it out, or send 'none'.", effort.Param));
        }

        try
        {
            PromptText text = template.Render(_tools!.Fit(new ChatTemplateInput
            {
                MessagesJson = chat.MessagesJson.Memory,
                ToolsJson = chat.ToolsJson.Memory,
                ArgumentsJson = chat.TemplateArgumentsJson.Memory,
                ReasoningEffort = chat.ReasoningEffort?.Value,
                AddGenerationPrompt = chat.AddGenerationPrompt,
                BosToken = bosToken,
                EosToken = eosToken,
                TimeProvider = time,
            }));
            return (new EncodedPrompt(Encode(text, addSpecialTokens), format.EndsInReasoning(text.Text)), null);
        }
        catch (TemplateException exception) when (exception.Kind == TemplateErrorKind.Raised)
        {
            return (default, Refuse($"The model's chat template refuses these messages: {exception.Reason}", "messages"));
        }
        catch (TemplateException exception)
        {
            return (default, Refuse($"The model's chat template cannot render these messages: {exception.Message}", "messages"));
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
