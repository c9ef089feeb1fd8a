// node cases.mjs BASE_URL: sends every parameter of every route, each with values that the specification admits, and validates what comes back, SSE chunks included.
// Prints {"cases", "accepted", "refused": {"ROUTE field": count}, "failures": [...]}: a failure is an answer that does not validate, an error without its field, or no answer at all.
import { operation, problems, properties, samples, schemaName } from "./specification.mjs";

const base = process.argv[2];
const chat = "smollm2-135m-instruct";
const valuesMax = 40;

/** What a request needs, and what keeps it short. A field that is varied replaces the one here. */
const routes = [
  { route: "/chat/completions", body: { model: chat, messages: [{ role: "user", content: "Hi" }], max_completion_tokens: 4 }, instead: { max_tokens: "max_completion_tokens" } },
  { route: "/completions", body: { model: chat, prompt: "Hi", max_tokens: 4 }, instead: {} },
  { route: "/embeddings", body: { model: "all-minilm-l6-v2", input: "Hi" }, instead: {} },
  { route: "/responses", body: { model: chat, input: "Hi", max_output_tokens: 16 }, instead: {} },
];

/** Where the specification says less than OpenAI's own API does, and ours with it: [route, what does not validate]. docs/openai-compatibility.md names them. */
const known = [
  ["/completions", /^\/choices\/0\/finish_reason must be .* in /],
  ["/embeddings", /^\/data\/0\/embedding must be array$/],
];

const report = { cases: 0, accepted: 0, refused: {}, failures: [] };
const fail = (what, body, status, reasons) => report.failures.push({ what, body: JSON.stringify(body).slice(0, 400), status, reasons });

async function check(route, what, field, body) {
  report.cases++;
  const response = await fetch(base + route, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const text = await response.text();
  const schemas = operation(route, "post").responses["200"].content;
  if (response.ok) {
    const reasons = response.headers.get("content-type").startsWith("text/event-stream")
      ? stream(text, schemaName((schemas["text/event-stream"] ?? schemas["application/json"]).schema), route)
      : problems(schemaName(schemas["application/json"].schema), JSON.parse(text));
    report.accepted++;
    const unknown = reasons.filter((reason) => !known.some(([where, pattern]) => where === route && pattern.test(reason)));
    if (unknown.length > 0) fail(what, body, response.status, unknown);
    return;
  }
  const answer = JSON.parse(text);
  const reasons = problems("ErrorResponse", answer);
  const param = answer.error?.param ?? "";
  if (response.status >= 500) reasons.push(answer.error?.message);
  else if (field && !(param === field || param.startsWith(`${field}.`) || param.startsWith(`${field}[`))) reasons.push(`param is '${param}': ${answer.error?.message}`);
  if (reasons.length > 0) fail(what, body, response.status, reasons);
  else {
    const key = `${route} ${field}`;
    report.refused[key] = (report.refused[key] ?? 0) + 1;
  }
}

function stream(text, schema, route) {
  const data = text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
  if (route !== "/responses" && data.pop() !== "[DONE]") return ["the stream does not end in [DONE]"];
  return data.length === 0 ? ["the stream is empty"] : data.flatMap((chunk) => problems(schema, JSON.parse(chunk)).map((problem) => `${problem} in ${chunk.slice(0, 120)}`));
}

for (const { route, body, instead } of routes) {
  await check(route, `${route}, what is required`, null, body);
  const fields = properties(operation(route, "post").requestBody.content["application/json"].schema);
  for (const [field, schema] of Object.entries(fields)) {
    if (field === "model") continue;
    const sent = new Set();
    for (const value of samples(schema)) {
      const key = JSON.stringify(value);
      if (sent.size >= valuesMax) break;
      if (sent.has(key)) continue;
      sent.add(key);
      const rest = { ...body };
      delete rest[instead[field]];
      await check(route, `${route} ${field}`, field, { ...rest, [field]: value });
    }
  }
  if (fields.stream) await check(route, `${route}, streamed`, null, { ...body, stream: true });
}

for (const [path, route] of [["/models", "/models"], [`/models/${chat}`, "/models/{model}"], ["/files", "/files"], ["/batches", "/batches"], ["/chat/completions", "/chat/completions"]]) {
  report.cases++;
  const response = await fetch(base + path);
  const reasons = problems(schemaName(operation(route, "get").responses["200"].content["application/json"].schema), await response.json());
  if (response.ok) report.accepted++;
  if (!response.ok || reasons.length > 0) fail(`GET ${path}`, null, response.status, reasons);
}

console.log(JSON.stringify(report));
