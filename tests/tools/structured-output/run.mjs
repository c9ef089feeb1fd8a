// Asks a running platform for an answer to each of the 200 schemas, at temperature 1, and holds every one that ends in "stop" to ajv.
//   npm install --prefix tests/tools/structured-output && node tests/tools/structured-output/run.mjs [BASE_URL] [SEED] [CONCURRENCY]
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const [base = 'http://127.0.0.1:8080/v1', seed = '1', concurrency = '8'] = process.argv.slice(2);
const schemas = JSON.parse(readFileSync(new URL('../../Grammars.Tests/Schemas/schemas.json', import.meta.url)));
const counts = { stop: 0, length: 0, invalid: 0, failed: 0, tokens: 0 };

async function ask(schema, index) {
  const response = await fetch(`${base}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'smollm2-135m-instruct',
      temperature: 1,
      seed: Number(seed) * 1000 + index,
      max_tokens: 512,
      messages: [{ role: 'user', content: `Answer with an example of ${schema.title ?? 'this kind of data'} in JSON.` }],
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
    }),
  });
  const body = await response.json();
  if (!response.ok) {
    counts.failed++;
    console.log(`schema ${index}: ${response.status} ${JSON.stringify(body)}`);
    return;
  }

  const { finish_reason: finish, message } = body.choices[0];
  counts[finish]++;
  counts.tokens += body.usage.completion_tokens;
  if (finish !== 'stop') {
    console.log(`schema ${index}: ${finish}: ${message.content.slice(0, 160)}`);
    return;
  }

  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  const validate = ajv.compile(schema);
  let value;
  try {
    value = JSON.parse(message.content);
  } catch (error) {
    counts.invalid++;
    console.log(`schema ${index}: ${error.message}: ${message.content}`);
    return;
  }

  if (!validate(value)) {
    counts.invalid++;
    console.log(`schema ${index}: ${ajv.errorsText(validate.errors)}: ${message.content}`);
  }
}

const begin = Date.now();
let next = 0;
await Promise.all(Array.from({ length: Number(concurrency) }, async () => {
  while (next < schemas.length) {
    const index = next++;
    await ask(schemas[index], index);
  }
}));
const ended = counts.stop / schemas.length;
console.log(JSON.stringify({ ...counts, seconds: Math.round((Date.now() - begin) / 1000), ended_within_512_tokens: ended }));
process.exitCode = counts.invalid === 0 && counts.failed === 0 && ended >= 0.95 ? 0 : 1;
