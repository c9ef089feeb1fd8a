// node clients.mjs BASE_URL: a chat, a stream, a tool round trip and a structured answer through each client; prints what each saw as one JSON object.
// Tools are demanded and answers held to schemas, so that the smallest model passes.
import Anthropic from "@anthropic-ai/sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool as langChainTool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { embedMany, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const baseURL = process.argv[2];
const model = "smollm2-135m-instruct";
const embedder = "all-minilm-l6-v2";
const apiKey = "unused-on-loopback";
const question = "What is the capital of France?";
const city = z.object({ city: z.enum(["Paris", "Rome"]), inhabitants: z.number().int() });
const weatherInput = z.object({ city: z.enum(["Paris", "Rome"]) });
const weather = ({ city }) => `It is sunny in ${city}.`;

async function openAi() {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const request = { model, temperature: 0, messages: [{ role: "user", content: question }] };
  const models = [];
  for await (const { id } of client.models.list()) models.push(id);
  const chat = await client.chat.completions.create(request);

  let streamed = "";
  let usage = null;
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })) {
    streamed += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }

  const tools = [{ type: "function", function: { name: "weather", description: "The weather of a city", parameters: z.toJSONSchema(weatherInput) } }];
  const messages = [{ role: "user", content: "How is the weather in Paris?" }];
  const asked = (await client.chat.completions.create({ ...request, messages, tools, max_completion_tokens: 64, tool_choice: { type: "function", function: { name: "weather" } } })).choices[0].message;
  const toolResult = weather(weatherInput.parse(JSON.parse(asked.tool_calls[0].function.arguments)));
  const answered = { role: "tool", tool_call_id: asked.tool_calls[0].id, content: toolResult };
  const after = await client.chat.completions.create({ ...request, messages: [...messages, asked, answered], tools, tool_choice: "none", max_completion_tokens: 64 });
  const describe = { ...request, max_completion_tokens: 100, messages: [{ role: "user", content: "Describe Paris." }] };
  const structured = await client.chat.completions.parse({ ...describe, response_format: zodResponseFormat(city, "city") });

  let refusal = null;
  try {
    await client.chat.completions.create({ ...request, model: "no-such-model" });
  } catch (error) {
    refusal = { status: error.status, code: error.code, hasRequestId: error.requestID?.startsWith("req_") };
  }
  return {
    models,
    refusal,
    hasRequestId: chat._request_id?.startsWith("req_"),
    usage,
    chat: chat.choices[0].message.content,
    streamed,
    streamedTokens: usage.completion_tokens,
    toolResult,
    afterTool: after.choices[0].message.content,
    structured: city.parse(structured.choices[0].message.parsed),
  };
}

/** The same by OpenAI's newer API. */
async function openAiResponses() {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  const request = { model, temperature: 0, max_output_tokens: 100 };
  const chat = await client.responses.create({ ...request, input: question });
  const stream = client.responses.stream({ ...request, input: question });
  let streamed = "";
  for await (const event of stream) if (event.type === "response.output_text.delta") streamed += event.delta;

  const tools = [{ type: "function", name: "weather", description: "The weather of a city", parameters: z.toJSONSchema(weatherInput), strict: true }];
  const asked = await client.responses.create({ ...request, input: "How is the weather in Paris?", tools, tool_choice: { type: "function", name: "weather" } });
  const call = asked.output.find((item) => item.type === "function_call");
  const toolResult = weather(weatherInput.parse(JSON.parse(call.arguments)));
  const after = await client.responses.create({ ...request, previous_response_id: asked.id, input: [{ type: "function_call_output", call_id: call.call_id, output: toolResult }] });
  const structured = await client.responses.parse({ ...request, input: "Describe Paris.", text: { format: zodTextFormat(city, "city") } });
  return {
    chat: chat.output_text,
    streamed,
    streamedTokens: (await stream.finalResponse()).usage.output_tokens,
    toolResult,
    afterTool: after.output_text,
    structured: city.parse(structured.output_parsed),
  };
}

async function aiSdk() {
  const provider = createOpenAICompatible({ name: "serving", baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true });
  const chatModel = provider(model);
  const chat = await generateText({ model: chatModel, prompt: question, temperature: 0 });

  const stream = streamText({ model: chatModel, prompt: question, temperature: 0 });
  let streamed = "";
  for await (const part of stream.textStream) streamed += part;

  // The first step has to call; the second one, which sees the result, answers.
  const rounds = await generateText({
    model: chatModel,
    prompt: "How is the weather in Paris?",
    temperature: 0,
    maxOutputTokens: 64,
    tools: { weather: tool({ description: "The weather of a city", inputSchema: weatherInput, execute: weather }) },
    stopWhen: stepCountIs(2),
    prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? { type: "tool", toolName: "weather" } : "none" }),
  });
  const { object } = await generateObject({ model: chatModel, schema: city, prompt: "Describe Paris.", temperature: 0, maxOutputTokens: 100 });
  const { embeddings } = await embedMany({ model: provider.textEmbeddingModel(embedder), values: ["one", "two"] });
  return {
    chat: chat.text,
    streamed,
    streamedTokens: (await stream.usage).outputTokens,
    toolResult: rounds.steps[0].toolResults[0]?.output,
    afterTool: rounds.steps[1]?.text,
    structured: city.parse(object),
    embeddings: embeddings.map((embedding) => embedding.length),
  };
}

async function langChain() {
  const configuration = { baseURL };
  const chatModel = new ChatOpenAI({ model, apiKey, configuration, temperature: 0, maxTokens: 100, maxRetries: 0 });
  const chat = await chatModel.invoke(question);

  let streamed = "";
  let streamedTokens = 0;
  for await (const chunk of await chatModel.stream(question)) {
    streamed += chunk.content;
    streamedTokens += chunk.usage_metadata?.output_tokens ?? 0;
  }

  const weatherTool = langChainTool(weather, { name: "weather", description: "The weather of a city", schema: weatherInput });
  const messages = [new HumanMessage("How is the weather in Paris?")];
  const call = await chatModel.bindTools([weatherTool], { tool_choice: "weather" }).invoke(messages);
  const result = await weatherTool.invoke(call.tool_calls[0]);
  const after = await chatModel.invoke([...messages, call, new ToolMessage({ content: result.content, tool_call_id: call.tool_calls[0].id })]);
  const structured = await chatModel.withStructuredOutput(city, { name: "city", method: "jsonSchema", strict: true }).invoke("Describe Paris.");
  const embeddings = await new OpenAIEmbeddings({ model: embedder, apiKey, configuration, maxRetries: 0 }).embedDocuments(["one", "two"]);
  return {
    chat: chat.content,
    streamed,
    streamedTokens,
    toolResult: result.content,
    afterTool: after.content,
    structured: city.parse(structured),
    embeddings: embeddings.map((embedding) => embedding.length),
  };
}

async function anthropic() {
  const client = new Anthropic({ apiKey, baseURL: baseURL.replace(/\/v1$/, ""), maxRetries: 0 });
  const request = { model, max_tokens: 64, temperature: 0, messages: [{ role: "user", content: question }] };
  const chat = await client.messages.create(request);
  const stream = client.messages.stream(request);
  const streamed = await stream.finalText();

  const tools = [{ name: "weather", description: "The weather of a city", input_schema: z.toJSONSchema(weatherInput) }];
  const asked = { role: "user", content: "How is the weather in Paris?" };
  const call = await client.messages.create({ ...request, messages: [asked], tools, tool_choice: { type: "tool", name: "weather" } });
  const use = call.content.find((block) => block.type === "tool_use");
  const toolResult = weather(weatherInput.parse(use.input));
  const after = await client.messages.create({
    ...request,
    tools,
    messages: [asked, { role: "assistant", content: call.content }, { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: toolResult }] }],
  });
  const held = await client.messages.create({ ...request, max_tokens: 100, messages: [{ role: "user", content: "Describe Paris." }], output_config: { format: { type: "json_schema", schema: z.toJSONSchema(city) } } });
  return {
    chat: chat.content[0].text,
    streamed,
    streamedTokens: (await stream.finalMessage()).usage.output_tokens,
    toolResult,
    afterTool: after.content.map((block) => block.text ?? "").join("") || after.stop_reason,
    structured: city.parse(JSON.parse(held.content[0].text)),
  };
}

const clients = { openAi, openAiResponses, aiSdk, langChain, anthropic };
const seen = {};
for (const [name, run] of Object.entries(clients)) {
  seen[name] = await run().catch((error) => ({ error: String(error.stack ?? error).slice(0, 1500) }));
}

console.log(JSON.stringify(seen));
