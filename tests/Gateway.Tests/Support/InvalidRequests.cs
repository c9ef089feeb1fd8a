using System.Text;
using static Serving.Gateway.Tests.Support.BodyField;

namespace Serving.Gateway.Tests.Support;

/// <summary>The matrix of invalid requests: every kind of mistake for every route with a body or a query. bench/Gateway.Bench measures how fast they are refused.</summary>
internal static class InvalidRequests
{
    public const string Model = "smollm2-135m-instruct";

    private const string User = "[{\"role\":\"user\",\"content\":\"Hi\"}]";

    private static readonly BodyField _model = TextField("model").And(Mistake.OutOfRange, $"\"{new string('m', 300)}\"");
    private static readonly BodyField _requiredModel = _model.And(Mistake.OutOfRange, "\"\"").Required();
    private static readonly BodyField _toolChoice = OfTypes("tool_choice", "7", "true", "[]").And(Mistake.UnknownWord, "\"nothing\"").And(Mistake.LoneSurrogate, "\"\\ud800\"");

    private static readonly BodyField[] _sampling =
    [
        Number("temperature", "-0.1", "2.1"), Number("top_p", "0", "1.1"), Integer("top_k", "-2", "2147483648"), Number("min_p", "-0.1", "1.1"), Number("typical_p", "0", "1.1"),
        Number("frequency_penalty", "-2.1", "2.1"), Number("presence_penalty", "-2.1", "2.1"), Number("repetition_penalty", "0", "10.1"), Object("logit_bias"), Integer("seed"),
        Integer("min_tokens", "-1", "2147483648"), Flag("ignore_eos"), ListField("stop_token_ids"), TextField("cache_salt"), Integer("priority", "2147483648", "-2147483649"), Word("service_tier"),
        OfTypes("stop", "7", "true", "{}").And(Mistake.OutOfRange, "\"\"", "[\"a\",\"b\",\"c\",\"d\",\"e\"]").And(Mistake.LoneSurrogate, "\"\\ud800\""),
        Flag("stream"), Object("stream_options"),
    ];

    private static readonly BodyField[] _labels = [TextField("user"), TextField("safety_identifier"), TextField("prompt_cache_key"), Object("metadata")];

    private static readonly BodyField[] _caching = [Object("prompt_cache_options"), Word("prompt_cache_retention")];

    private static readonly BodyField[] _choices = [Integer("n", "0", "129"), Integer("best_of", "-1", "21")];

    private static readonly BodyField[] _guided =
        [Object("response_format"), OfTypes("guided_json", "7", "[]"), TextField("guided_regex"), ListField("guided_choice").And(Mistake.OutOfRange, "[]"), TextField("guided_grammar")];

    /// <summary>All of them, for a gateway that serves <see cref="Model"/>.</summary>
    /// <param name="embedder">A model that embeds.</param>
    /// <param name="file">The id of a file of the purpose <c>batch</c>, and those of a stored chat and a stored response. Nothing is looked up before it is asked for rightly: any ids will do where no valid request is sent.</param>
    public static IEnumerable<InvalidRequest> All(string embedder, string file = "file-x", string chat = "chatcmpl-x", string response = "resp_x") =>
        [.. Endpoints(embedder, file, chat).SelectMany(endpoint => endpoint.Mistakes), .. Forms(), .. Queries(chat, response)];

    public static IReadOnlyList<JsonEndpoint> Endpoints(string embedder, string file, string chat) =>
    [
        new(
            "/v1/chat/completions", $$"""{"model":"{{Model}}","messages":{{User}}}""",
            [_requiredModel, ListField("messages").And(Mistake.OutOfRange, "[]").Required(), .. _sampling, .. _labels, .. _caching, .. _choices, .. _guided,
                Integer("max_tokens", "0", "2147483648"), Integer("max_completion_tokens", "0", "2147483648"), Flag("logprobs"), Integer("top_logprobs", "-1", "21"), ListField("tools"), _toolChoice,
                Flag("parallel_tool_calls"), Flag("store"), Object("prediction"), Object("chat_template_kwargs"), ListField("functions"), Word("function_call"), ListField("modalities").And(Mistake.UnknownWord, "[\"nothing\"]"),
                Word("reasoning_effort"), Word("verbosity"), Never("audio"), Never("web_search_options"), Never("moderation"), Never("chat_template")]),
        new(
            "/v1/completions", $$"""{"model":"{{Model}}","prompt":"Hi"}""",
            [_requiredModel, OfTypes("prompt", "7", "true", "{}").And(Mistake.OutOfRange, "[]").And(Mistake.LoneSurrogate, "\"\\ud800\"").Required(), .. _sampling, .. _labels, .. _caching, .. _choices,
                .. _guided, Integer("max_tokens", "-1", "2147483648"), Flag("echo"), Integer("logprobs", "-1", "6"), Never("suffix"), Never("prompt_embeds"), Never("length_penalty")]),
        new(
            "/v1/responses", $$"""{"model":"{{Model}}","input":"Hi"}""",
            [_requiredModel, .. _sampling, .. _labels, .. _caching, .. ResponsePrompt(), Integer("max_output_tokens", "15", "2147483648"), Integer("top_logprobs", "-1", "21"),
                ListField("include"), Integer("max_tool_calls", "0"), Flag("store"), Flag("background"), Never("moderation"), Never("prompt")]),
        new("/v1/responses/input_tokens", $$"""{"model":"{{Model}}","input":"Hi"}""", [_model, .. ResponsePrompt()]),
        new("/v1/messages", $$"""{"model":"{{Model}}","max_tokens":9,"messages":{{User}}}""",
            [_requiredModel, .. MessagesPrompt(), Integer("max_tokens", "0", "-1", "2147483648").Required(), Number("temperature", "-0.1", "1.1"), Number("top_p", "0", "1.1"), Integer("top_k", "-2", "2147483648"),
                ListField("stop_sequences"), Flag("stream"), Object("metadata"), Word("service_tier"), TextField("cache_salt")]),
        new("/v1/messages/count_tokens", $$"""{"model":"{{Model}}","messages":{{User}}}""", [_model, .. MessagesPrompt()]),
        new(
            "/v1/embeddings", $$"""{"model":"{{embedder}}","input":"Hi"}""",
            [_requiredModel, OfTypes("input", "7", "true", "{}").And(Mistake.OutOfRange, "\"\"", "[]").And(Mistake.LoneSurrogate, "\"\\ud800\"").Required(), Word("encoding_format"),
                Integer("dimensions", "0", "2147483648", "1000000"), TextField("user"), Never("truncate_prompt_tokens"), Never("messages")]),
        new(
            "/v1/rerank", $$"""{"model":"{{embedder}}","query":"a","documents":["b"]}""",
            [_model, TextField("query").And(Mistake.OutOfRange, "\"\"").Required(), ListField("documents").And(Mistake.OutOfRange, "[]").Required(), Integer("top_n", "-1", "2147483648"), Flag("return_documents")]),
        new("/v1/score", $$"""{"model":"{{embedder}}","text_1":"a","text_2":"b"}""", [_model, Scored("text_1"), Scored("text_2")]),
        new("/tokenize", $$"""{"model":"{{Model}}","prompt":"Hi"}""", [_model, TextField("prompt").Required(), Flag("add_special_tokens"), Flag("return_token_strs")]),
        new("/detokenize", $$"""{"model":"{{Model}}","tokens":[1]}""", [_model, ListField("tokens").Required()]),
        new(
            "/v1/batches", $$"""{"input_file_id":"{{file}}","endpoint":"/v1/chat/completions","completion_window":"24h"}""",
            [TextField("input_file_id").And(Mistake.OutOfRange, "\"\"").And(Mistake.UnknownWord, "\"file-nothing\"").Required(), Word("endpoint").Required(), Word("completion_window").Required(), Object("metadata"), Object("output_expires_after")]),
        new($"/v1/chat/completions/{chat}", "{\"metadata\":null}", [Object("metadata") with { IsRequired = true }]),
    ];

    private static BodyField[] ResponsePrompt() =>
    [
        OfTypes("input", "7", "true", "{}").And(Mistake.OutOfRange, "[]").And(Mistake.LoneSurrogate, "\"\\ud800\"").Required(), TextField("instructions"), TextField("previous_response_id").And(Mistake.UnknownWord, "\"nothing\""),
        ListField("tools"), _toolChoice, Flag("parallel_tool_calls"), Object("text"), Object("reasoning"), Word("truncation"), Never("conversation"), Object("chat_template_kwargs"),
    ];

    private static BodyField[] MessagesPrompt() =>
    [
        ListField("messages").And(Mistake.OutOfRange, "[]").Required(), OfTypes("system", "7", "true", "{}").And(Mistake.LoneSurrogate, "\"\\ud800\""), ListField("tools"), Object("tool_choice"), Object("thinking"), Object("output_config"),
        Never("container"), Never("mcp_servers"), Object("chat_template_kwargs"),
    ];

    private static BodyField Scored(string name) =>
        OfTypes(name, "7", "true", "{}").And(Mistake.OutOfRange, "\"\"", "[]").And(Mistake.LoneSurrogate, "\"\\ud800\"").Required();

    private static IEnumerable<InvalidRequest> Queries(string chat, string response) =>
    [
        .. Pages("/v1/files", "10001", "purpose=nothing", "purpose=", "purpose=%FF", "purpose=batch&purpose=batch"),
        .. Pages("/v1/batches", "101"),
        .. Pages("/v1/chat/completions", "101", "model=a&model=b", "model=%FF", "metadata=x", "metadata[a]=%FF", "metadata[a]=1&metadata[a]=2"),
        .. Pages($"/v1/chat/completions/{chat}/messages", "101"),
        .. Pages($"/v1/responses/{response}/input_items", "101", "include=nothing", "include[]=%ED%A0%80"),
        .. Get($"/v1/responses/{response}", "include=nothing", "stream=1", "stream=", "stream=true&stream=true", "include_obfuscation=maybe", "starting_after=x"),
    ];

    private static IEnumerable<InvalidRequest> Pages(string path, string limitTooLarge, params string[] more) => Get(
        path,
        [
            "limit=0", "limit=-1", $"limit={limitTooLarge}", "limit=", "limit=x", "limit=1.5", "limit=1e1", "limit=2147483648", "limit=9223372036854775808", "limit=99999999999999999999", "limit=%FF",
            "limit=1&limit=2", "order=up", "order=", "order=%ED%A0%80", "order=asc&order=asc", "after=", "after=a/b", "after=%FF", "after=%ED%A0%80", $"after={new string('a', 129)}", "after=a&after=a", .. more,
        ]);

    private static IEnumerable<InvalidRequest> Get(string path, params string[] queries) =>
        queries.Select(query => new InvalidRequest(QueryMistake(query), HttpMethod.Get, $"{path}?{query}", 400, query.Split('=')[0].Replace("include[]", "include", StringComparison.Ordinal)));

    private static Mistake QueryMistake(string query) => query switch
    {
        _ when query.Contains('&', StringComparison.Ordinal) => Mistake.Duplicate,
        _ when query.Contains("%ED", StringComparison.Ordinal) => Mistake.LoneSurrogate,
        _ when query.Contains('%', StringComparison.Ordinal) => Mistake.InvalidUtf8,
        _ when query.Count(char.IsAsciiDigit) > 9 => Mistake.Overflow,
        _ when query.EndsWith('=') => Mistake.Missing,
        _ when query.StartsWith("limit=", StringComparison.Ordinal) => query[6..].All(c => char.IsAsciiDigit(c) || c == '-') ? Mistake.OutOfRange : Mistake.WrongType,
        _ => Mistake.UnknownWord,
    };

    private static IEnumerable<InvalidRequest> Forms()
    {
        const string file = "name=\"file\"; filename=\"a\"|x";
        const string purpose = "name=\"purpose\"|batch";
        const string anchor = "name=\"expires_after[anchor]\"|created_at";
        foreach (var (mistake, param, parts) in new (Mistake, string?, string[])[]
        {
            (Mistake.Missing, "purpose", [file]),
            (Mistake.Missing, "file", [purpose]),
            (Mistake.Missing, "file", [purpose, "name=\"file\"|x"]),
            (Mistake.Missing, "file", [purpose, "name=\"file\"; filename=\"\"|x"]),
            (Mistake.Missing, "expires_after[anchor]", [file, purpose, "name=\"expires_after[seconds]\"|3600"]),
            (Mistake.Missing, "expires_after[seconds]", [file, purpose, anchor]),
            (Mistake.Null, "purpose", [file, "name=\"purpose\"|"]),
            (Mistake.Null, "expires_after[seconds]", [file, purpose, anchor, "name=\"expires_after[seconds]\"|"]),
            (Mistake.WrongType, "expires_after[seconds]", [file, purpose, anchor, "name=\"expires_after[seconds]\"|soon"]),
            (Mistake.WrongType, "expires_after[seconds]", [file, purpose, anchor, "name=\"expires_after[seconds]\"|3600.5"]),
            (Mistake.WrongType, "expires_after", [file, purpose, "name=\"expires_after\"|{}"]),
            (Mistake.OutOfRange, "expires_after[seconds]", [file, purpose, anchor, "name=\"expires_after[seconds]\"|3599"]),
            (Mistake.OutOfRange, "expires_after[seconds]", [file, purpose, anchor, "name=\"expires_after[seconds]\"|2592001"]),
            (Mistake.OutOfRange, "file", [purpose, $"name=\"file\"; filename=\"{new string('a', 256)}\"|x"]),
            (Mistake.Overflow, "expires_after[seconds]", [file, purpose, anchor, "name=\"expires_after[seconds]\"|9223372036854775808"]),
            (Mistake.UnknownWord, "purpose", [file, "name=\"purpose\"|nothing"]),
            (Mistake.UnknownWord, "purpose", [file, "name=\"purpose\"|batch_output"]),
            (Mistake.UnknownWord, "expires_after[anchor]", [file, purpose, "name=\"expires_after[anchor]\"|now", "name=\"expires_after[seconds]\"|3600"]),
            (Mistake.TooLarge, "purpose", [file, $"name=\"purpose\"|{new string('p', 1025)}"]),
            (Mistake.Duplicate, "purpose", [purpose, purpose, file]),
            (Mistake.Duplicate, "file", [purpose, file, file]),
            // Latin-1 below: these two bytes are no UTF-8, those three the half of a surrogate pair.
            (Mistake.InvalidUtf8, "purpose", [file, "name=\"purpose\"|bat\u00C3\u0028"]),
            (Mistake.InvalidUtf8, "file", [purpose, "name=\"file\"; filename=\"a\u00C3\u0028\"|x"]),
            (Mistake.LoneSurrogate, "purpose", [file, "name=\"purpose\"|\u00ED\u00A0\u0080"]),
            (Mistake.LoneSurrogate, "file", [purpose, "name=\"file\"; filename=\"\u00ED\u00A0\u0080\"|x"]),
        })
        {
            yield return Form(mistake, param, string.Concat(parts.Select(Part)) + "--b--\r\n");
        }

        var whole = Part(purpose) + Part(file) + "--b--\r\n";
        yield return Form(Mistake.Syntax, null, whole[..^12]);
        yield return Form(Mistake.Syntax, null, "");
        yield return Form(Mistake.Syntax, null, "nothing");
        yield return Form(Mistake.Syntax, null, "--b\r\nX: y\r\n\r\nhello\r\n--b--");
        yield return Form(Mistake.Syntax, null, whole) with { ContentType = "multipart/form-data" };
        yield return Form(Mistake.Syntax, null, whole) with { ContentType = $"multipart/form-data; boundary={new string('b', 71)}" };
        yield return Form(Mistake.MediaType, null, "{}") with { Status = 415, ContentType = "application/json" };
        yield return Form(Mistake.MediaType, null, whole) with { Status = 415, ContentType = null };
    }

    private static string Part(string part)
    {
        var border = part.IndexOf('|', StringComparison.Ordinal);
        return $"--b\r\nContent-Disposition: form-data; {part[..border]}\r\n\r\n{part[(border + 1)..]}\r\n";
    }

    private static InvalidRequest Form(Mistake mistake, string? param, string body) =>
        new(mistake, HttpMethod.Post, "/v1/files", 400, param, Encoding.Latin1.GetBytes(body)) { ContentType = "multipart/form-data; boundary=b" };
}
