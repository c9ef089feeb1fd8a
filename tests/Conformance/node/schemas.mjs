// node schemas.mjs BASE_URL [SEED] [AT_ONCE]: asks for an answer to each of the 200 schemas of tests/Grammars.Tests at temperature 1 and holds every one that ends in "stop" to ajv.
// Prints {"stop", "length", "tokens", "seconds", "invalid": ["schema 7: …"]}; "invalid" has refused requests too.
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [base, seed = "1", atOnce = "8"] = process.argv.slice(2);
const schemas = JSON.parse(readFileSync(new URL("../../Grammars.Tests/Schemas/schemas.json", import.meta.url)));
const report = { stop: 0, length: 0, tokens: 0, invalid: [] };

async function check(schema, index) {
  const response = await fetch(`${base}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "smollm2-135m-instruct",
      temperature: 1,
      seed: Number(seed) * 1000 + index,
      max_tokens: 512,
      messages: [{ role: "user", content: `Answer with an example of ${schema.title ?? "this kind of data"} in JSON.` }],
      response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
    }),
  });
  const body = await response.json();
  if (!response.ok) return `${response.status} ${JSON.stringify(body)}`;
  const { finish_reason: finish, message } = body.choices[0];
  report[finish]++;
  report.tokens += body.usage.completion_tokens;
  if (finish !== "stop") return null;
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  const validate = ajv.compile(schema);
  try {
    return validate(JSON.parse(message.content)) ? null : `${ajv.errorsText(validate.errors)}: ${message.content}`;
  } catch (error) {
    return `${error.message}: ${message.content}`;
  }
}

const begin = Date.now();
let next = 0;
await Promise.all(Array.from({ length: Number(atOnce) }, async () => {
  while (next < schemas.length) {
    const index = next++;
    const problem = await check(schemas[index], index);
    if (problem) report.invalid.push(`schema ${index}: ${problem}`);
  }
}));
console.log(JSON.stringify({ ...report, seconds: Math.round((Date.now() - begin) / 1000) }));
