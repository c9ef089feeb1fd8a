// node clients.mjs BASE_URL: a chat, a stream, a tool round trip and a structured answer through each client; prints what each saw as one JSON object.
// Tools are demanded and answers held to schemas, so that the smallest model passes.
import Anthropic from "@anthropic-ai/sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool as langChainTool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
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

const clients = { aiSdk, langChain, anthropic };
const seen = {};
for (const [name, run] of Object.entries(clients)) {
  seen[name] = await run().catch((error) => ({ error: String(error.stack ?? error).slice(0, 1500) }));
}

console.log(JSON.stringify(seen));
