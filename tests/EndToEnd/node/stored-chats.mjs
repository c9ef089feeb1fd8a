// node stored-chats.mjs BASE_URL: stored chat completions through the official client; prints what it saw as one JSON object.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "unused-on-loopback", maxRetries: 0 });
const request = {
  model: "smollm2-135m-instruct",
  temperature: 0,
  store: true,
  messages: [{ role: "user", content: "What is the capital of France?" }],
};

const whole = await client.chat.completions.create({ ...request, metadata: { way: "whole" } });
let streamedId = null;
for await (const chunk of await client.chat.completions.create({ ...request, stream: true, metadata: { way: "streamed" } })) streamedId = chunk.id;

const found = [];
for await (const chat of client.chat.completions.list({ metadata: { way: "streamed" } })) found.push(chat.id);
const streamed = await client.chat.completions.retrieve(streamedId);
const labelled = await client.chat.completions.update(whole.id, { metadata: { way: "other" } });
const messages = [];
for await (const message of client.chat.completions.messages.list(whole.id)) messages.push(message);

const deleted = [];
for await (const chat of client.chat.completions.list({ limit: 1 })) deleted.push((await client.chat.completions.delete(chat.id)).deleted && chat.id);

let gone = null;
try {
  await client.chat.completions.retrieve(whole.id);
} catch (error) {
  gone = error.status;
}

console.log(JSON.stringify({ whole, streamedId, found, streamed, labelled, messages, deleted, gone }));
