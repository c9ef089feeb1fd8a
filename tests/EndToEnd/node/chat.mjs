// node chat.mjs BASE_URL: one chat and one stream through the official client; prints what it saw as one JSON object.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "unused-on-loopback", maxRetries: 0 });
const request = {
  model: "smollm2-135m-instruct",
  temperature: 0,
  messages: [{ role: "user", content: "What is the capital of France?" }],
};

const models = [];
for await (const model of client.models.list()) models.push(model.id);

const chat = await client.chat.completions.create(request);

let streamed = "";
let finish = null;
let usage = null;
const stream = await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } });
for await (const chunk of stream) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
  finish = chunk.choices[0]?.finish_reason ?? finish;
  usage = chunk.usage ?? usage;
}

let refusal = null;
try {
  await client.chat.completions.create({ ...request, model: "no-such-model" });
} catch (error) {
  refusal = { status: error.status, code: error.code, requestId: error.requestID ?? null };
}

console.log(JSON.stringify({
  models,
  text: chat.choices[0].message.content,
  chatUsage: chat.usage,
  requestId: chat._request_id ?? null,
  streamed,
  finish,
  usage,
  refusal,
}));
