// node files.mjs BASE_URL: files through the official client; prints what it saw as one JSON object.
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "unused-on-loopback", maxRetries: 0 });
const upload = (text, rest) => toFile(Buffer.from(text), "näme.jsonl").then((file) => client.files.create({ file, purpose: "batch", ...rest }));

const first = await upload("first\n", { expires_after: { anchor: "created_at", seconds: 3600 } });
const second = await upload("second\n");
const processed = await client.files.waitForProcessing(second.id);
const contents = await (await client.files.content(second.id)).text();

// Deletes while it pages, as clean-up scripts do.
const deleted = [];
for await (const file of client.files.list({ purpose: "batch", limit: 1 })) {
  deleted.push((await client.files.delete(file.id)).deleted && file.id);
}

let gone = null;
try {
  await client.files.retrieve(first.id);
} catch (error) {
  gone = error.status;
}

console.log(JSON.stringify({ first, second, processed, contents, deleted, gone }));
