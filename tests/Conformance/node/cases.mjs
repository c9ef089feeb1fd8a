// node cases.mjs BASE_URL: requests that the specification admits, generated from it. Every operation that is served is sent each of its fields (of bodies, forms and queries) with
// values of each kind, and every answer, errors and SSE chunks included, is validated, by OpenAI's document and by the platform's own.
// Prints {"cases", "accepted", "refused": {"METHOD /route field": count}, "failures": [...]}: a failure is an answer that does not validate, an error without its field, or no answer at all.
import { checkedFetch } from "./own.mjs";
import { answerProblems, find, operation, samples } from "./specification.mjs";

const base = process.argv[2];
const chat = "smollm2-135m-instruct";
const embedder = "all-minilm-l6-v2";
const valuesMax = 40;
const report = { cases: 0, accepted: 0, refused: {}, failures: [] };
const fail = (what, sent, status, reasons) => report.failures.push({ what, sent: JSON.stringify(sent ?? null).slice(0, 400), status, reasons });
const fetch = await checkedFetch(base, fail);

/**
 * Sends one request and looks at its answer.
 * @param field what a refusal has to name
 * @param expected the status of an error that is meant to come
 * @returns the answer's JSON, or its text where it is none
 */
async function send(method, path, { json, form, headers = {}, field = null, expected = null } = {}) {
  report.cases++;
  const response = await fetch(base + path, {
    method,
    headers: { ...(json && { "content-type": "application/json" }), ...headers },
    body: json ? JSON.stringify(json) : form && formData(form),
  });
  const text = await response.text();
  const contentType = response.headers.get("content-type") ?? "";
  const asked = find(method, path.split("?")[0]);
  const reasons = answerProblems(asked, response.status, contentType, text);
  const isJson = contentType.startsWith("application/json");
  if (expected ? response.status !== expected : response.status >= 500) reasons.push(`status ${response.status}: ${text.slice(0, 300)}`);
  else if (!response.ok && !expected) {
    const param = JSON.parse(text).error.param ?? "";
    if (!(param === field || param.startsWith(`${field}.`) || param.startsWith(`${field}[`))) reasons.push(`param is '${param}': ${text.slice(0, 300)}`);
    const refused = `${asked.name} ${field}`;
    report.refused[refused] = (report.refused[refused] ?? 0) + 1;
  }
  if (reasons.length > 0) fail(`${method} ${path}`, json ?? form, response.status, reasons);
  else if (response.ok) report.accepted++;
  return isJson ? JSON.parse(text) : text;
}

/** Fields as a query or a form writes them: an object's members and an array's elements each by themselves; null is left out. */
function* pairs(values) {
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) for (const one of value) yield [name, one];
    else if (value !== null && typeof value === "object") for (const [key, one] of Object.entries(value)) yield [`${name}[${key}]`, one];
    else if (value !== null) yield [name, value];
  }
}

function formData(values) {
  const data = new FormData();
  for (const [name, value] of pairs(values)) data.append(name, name === "file" ? new File([value], "näme.jsonl") : String(value));
  return data;
}

/**
 * Sends an operation with what it needs, and once with each value of each of its fields.
 * @param ids what stands for the variables of its route
 * @param least what a request needs, and what keeps it short; a field that is varied replaces the one here
 * @param instead what cannot stand beside a field
 * @param more values beside those that the specification tells
 * @param without a field that is not varied
 */
async function vary(method, route, { ids = {}, least = {}, instead = {}, more = {}, without = null } = {}) {
  const { place, fields } = operation(method, route);
  const path = route.replace(/{(\w+)}/g, (_, name) => ids[name]);
  const ask = (values, field) => {
    const query = place === "query" ? new URLSearchParams([...pairs(values)]).toString() : "";
    return send(method, query ? `${path}?${query}` : path, { field, ...(place !== "query" && { [place]: values }) });
  };
  const answer = await ask(least);
  for (const [field, schema] of Object.entries(fields)) {
    if (field === without) continue;
    const values = new Map([...samples(schema), ...(more[field] ?? [])].map((value) => [JSON.stringify(value), value]));
    const rest = { ...least };
    delete rest[instead[field]];
    for (const value of [...values.values()].slice(0, valuesMax)) await ask({ ...rest, [field]: value }, field);
  }
  return answer;
}

const without = "model";
const limit = [1, 100];

// Greedy: where a null takes the limit away, the answer ends after a few words, and not when the context is full.
const temperature = 0;

async function answers() {
  const least = { model: chat, messages: [{ role: "user", content: "Hi" }], max_completion_tokens: 4, temperature };
  await vary("POST", "/chat/completions", { least, instead: { max_tokens: "max_completion_tokens" }, without });
  const text = { model: chat, prompt: "Hi", max_tokens: 4 };
  await vary("POST", "/completions", { least: text, without });
  await vary("POST", "/embeddings", { least: { model: embedder, input: "Hi" }, without });
  const { data } = await vary("GET", "/models");
  for (const { id } of data) await send("GET", `/models/${id}`);
}

async function storedChats() {
  const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", name: "ann", content: [{ type: "text", text: "Hi" }, { type: "text", text: "there" }] },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "7" },
    { role: "assistant", content: "Seven." },
    { role: "user", content: "Again?" },
  ];
  const { id } = await send("POST", "/chat/completions", { json: { model: chat, messages, max_completion_tokens: 4, store: true, logprobs: true, metadata: { way: "x" } } });
  const ids = { completion_id: id };
  await vary("GET", "/chat/completions", { more: { model: [chat], metadata: [{ way: "x" }], after: [id], limit } });
  await vary("GET", "/chat/completions/{completion_id}/messages", { ids, more: { after: [`${id}-1`], limit } });
  await vary("POST", "/chat/completions/{completion_id}", { ids, least: { metadata: { way: "y" } } });
  await vary("GET", "/chat/completions/{completion_id}", { ids });
  await vary("DELETE", "/chat/completions/{completion_id}", { ids });
}

async function responses() {
  const least = { model: chat, input: "Hi", max_output_tokens: 16, temperature };
  await vary("POST", "/responses", { least, without });
  const kept = await send("POST", "/responses", { json: { ...least, instructions: "Be brief.", include: ["message.output_text.logprobs"], metadata: { way: "x" } } });
  await vary("POST", "/responses/input_tokens", { least: { model: chat, input: "Hi" }, more: { previous_response_id: [kept.id] }, without });
  const next = await send("POST", "/responses", { json: { ...least, previous_response_id: kept.id } });
  const items = await vary("GET", "/responses/{response_id}/input_items", { ids: { response_id: next.id }, more: { limit } });
  await send("GET", `/responses/${next.id}/input_items?after=${items.data[0].id}`);
  await vary("GET", "/responses/{response_id}", { ids: { response_id: kept.id } });
  await send("POST", `/responses/${kept.id}/cancel`, { expected: 400 });
  const long = await send("POST", "/responses", { json: { ...least, max_output_tokens: 2000, background: true } });
  await vary("POST", "/responses/{response_id}/cancel", { ids: { response_id: long.id } });
  for (const { id } of [kept, next, long]) await vary("DELETE", "/responses/{response_id}", { ids: { response_id: id } });
}

async function files() {
  const least = { file: "{}\n", purpose: "user_data" };
  const { id } = await vary("POST", "/files", { least });
  await vary("GET", "/files", { more: { purpose: ["evals", "batch_output"], after: [id], limit: [1, 10_000] } });
  await vary("GET", "/files/{file_id}", { ids: { file_id: id } });
  await vary("GET", "/files/{file_id}/content", { ids: { file_id: id } });
  for (const file of (await send("GET", "/files")).data) await vary("DELETE", "/files/{file_id}", { ids: { file_id: file.id } });
}

/** Batches in each of their states. */
async function batches() {
  const line = (id, tokens) => JSON.stringify({ custom_id: id, method: "POST", url: "/v1/chat/completions", body: { model: chat, messages: [{ role: "user", content: "Hi" }], max_tokens: tokens, ignore_eos: true } });
  const input = async (...lines) => (await send("POST", "/files", { form: { file: lines.join("\n"), purpose: "batch" } })).id;
  const least = { input_file_id: await input(line("a", 4)), endpoint: "/v1/chat/completions", completion_window: "24h" };
  const { id } = await vary("POST", "/batches", { least, more: { input_file_id: [least.input_file_id] } });
  await vary("GET", "/batches", { more: { after: [id], limit } });
  const ended = async (batch) => {
    for (; ;) {
      const { status } = await (await fetch(`${base}/batches/${batch}`)).json();
      if (["completed", "failed", "cancelled"].includes(status)) return send("GET", `/batches/${batch}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  const completed = await ended(id);
  await send("GET", `/files/${completed.output_file_id}/content`);
  await send("POST", `/batches/${id}/cancel`, { expected: 409 });
  const failed = await send("POST", "/batches", { json: { ...least, input_file_id: await input("{}") } });
  const long = await send("POST", "/batches", { json: { ...least, input_file_id: await input(...["a", "b", "c", "d"].map((name) => line(name, 400))) } });
  await vary("POST", "/batches/{batch_id}/cancel", { ids: { batch_id: long.id } });
  const states = [completed, await ended(failed.id), await ended(long.id)].map((batch) => batch.status);
  if (states.join() !== "completed,failed,cancelled") fail("the states of batches", null, null, states);
  for (const file of (await send("GET", "/files")).data) await send("DELETE", `/files/${file.id}`);
}

/** Errors that are no field's, each with its status. */
async function errors() {
  const body = { model: chat, messages: [{ role: "user", content: "Hi" }] };
  for (const [method, path, status, request] of [
    ["GET", "/models/nothing", 404], ["GET", "/files/nothing", 404], ["GET", "/files/nothing/content", 404], ["DELETE", "/files/nothing", 404],
    ["GET", "/batches/nothing", 404], ["POST", "/batches/nothing/cancel", 404], ["GET", "/chat/completions/nothing", 404], ["DELETE", "/chat/completions/nothing", 404],
    ["GET", "/chat/completions/nothing/messages", 404], ["POST", "/chat/completions/nothing", 404, { json: { metadata: null } }], ["GET", "/responses/nothing", 404],
    ["DELETE", "/responses/nothing", 404], ["POST", "/responses/nothing/cancel", 404], ["GET", "/responses/nothing/input_items", 404],
    ["POST", "/chat/completions", 404, { json: { ...body, model: "nothing" } }], ["GET", "/nothing", 404], ["DELETE", `/models/${chat}`, 405], ["POST", "/responses/compact", 405],
    ["GET", "/models", 403, { headers: { origin: "https://page.example" } }], ["POST", "/chat/completions", 413, { json: { ...body, user: "x".repeat(5 << 20) } }],
    ["POST", "/chat/completions", 415, { json: body, headers: { "content-type": "text/plain" } }], ["POST", "/files", 415, { json: {} }],
  ]) await send(method, path, { ...request, expected: status });
}

for (const part of [answers, storedChats, responses, files, batches, errors]) await part();
console.log(JSON.stringify(report));
