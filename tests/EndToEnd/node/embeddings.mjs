// node embeddings.mjs BASE_URL: embeddings through the official client, which asks for base64 unless told otherwise; prints what it saw as one JSON object.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "unused-on-loopback", maxRetries: 0 });
const model = "all-minilm-l6-v2";

const one = await client.embeddings.create({ model, input: "grün" });
const same = await client.embeddings.create({ model, input: ["yellow", "grün"], encoding_format: "float" });

let refusal = null;
try {
  await client.embeddings.create({ model, input: ["short", "long ".repeat(600)] });
} catch (error) {
  refusal = { param: error.param, message: error.message };
}

const left = one.data[0].embedding;
const right = same.data[1].embedding;
console.log(JSON.stringify({
  widths: [left.length, right.length],
  difference: Math.max(...left.map((element, i) => Math.abs(element - right[i]))),
  refusal,
}));
