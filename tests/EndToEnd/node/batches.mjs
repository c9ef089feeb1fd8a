// node batches.mjs BASE_URL: a batch through the official client, from its input to its output; prints what it saw as one JSON object.
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "unused-on-loopback", maxRetries: 0 });
const line = (id, body) => JSON.stringify({ custom_id: id, method: "POST", url: "/v1/chat/completions", body });
const request = {
  model: "smollm2-135m-instruct",
  temperature: 0,
  messages: [{ role: "user", content: "What is the capital of France?" }],
};

const input = await client.files.create({
  file: await toFile(Buffer.from([line("good", request), line("wrong", { ...request, temperature: 9 })].join("\n")), "input.jsonl"),
  purpose: "batch",
});
const create = { input_file_id: input.id, endpoint: "/v1/chat/completions", completion_window: "24h" };
const created = await client.batches.create({ ...create, metadata: { job: "nightly" } });
const end = async (id) => {
  let batch = await client.batches.retrieve(id);
  for (; !["completed", "failed", "expired", "cancelled"].includes(batch.status); batch = await client.batches.retrieve(id)) await new Promise((done) => setTimeout(done, 200));
  return batch;
};
const completed = await end(created.id);
const read = async (id) => (await (await client.files.content(id)).text()).trim().split("\n").map((text) => JSON.parse(text));

let refusal = null;
try {
  await client.batches.cancel(created.id);
} catch (error) {
  refusal = { status: error.status, code: error.code };
}

const listed = [];
for await (const batch of client.batches.list({ limit: 1 })) listed.push(batch.id);

const [answers, errors] = [await read(completed.output_file_id), await read(completed.error_file_id)];
for (const id of [input.id, completed.output_file_id, completed.error_file_id]) await client.files.delete(id);

console.log(JSON.stringify({
  created,
  completed,
  answers,
  errors,
  refusal,
  listed,
}));
