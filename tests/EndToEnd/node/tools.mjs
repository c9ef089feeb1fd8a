// node tools.mjs BASE_URL MODEL…: the official client's own loop of tool calls with each model, whole and streamed; prints what it saw as one JSON object.
import OpenAI from "openai";

const [baseURL, ...models] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "unused-on-loopback", maxRetries: 0 });

async function run(model, stream) {
  const calls = [];
  const tool = (name, properties) => ({
    type: "function",
    function: {
      name,
      parameters: { type: "object", properties },
      parse: JSON.parse,
      function: (args) => { calls.push(args); return "7 °C"; },
    },
  });
  const runner = client.chat.completions.runTools({
    model,
    stream,
    messages: [{ role: "user", content: "weather" }],
    tools: [
      tool("get_weather", { city: { type: "string" }, days: { type: "array", items: { type: "integer" } } }),
      tool("now", { zone: { type: "string" } }),
    ],
  });
  return { final: await runner.finalContent(), calls };
}

const seen = {};
for (const model of models) seen[model] = { whole: await run(model, false), streamed: await run(model, true) };
console.log(JSON.stringify(seen));
