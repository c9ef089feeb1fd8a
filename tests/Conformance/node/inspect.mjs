// node inspect.mjs BASE_URL: stands between clients and a platform, and validates what passes. Prints where it listens and runs until its standard input ends.
// Every answer and every SSE chunk goes through ajv; what does not stream goes through the Prism proxy too, which looks at requests as well, and answers with an error of its own
// where either does not hold. Prism cannot look at streams. What is not OpenAI's, Anthropic's messages, is held against the platform's own document. GET /report gives, and forgets, {"seen": {"METHOD /route": count}, "problems": [...]}.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { checkedFetch } from "./own.mjs";
import { answerProblems, excerpt, find } from "./specification.mjs";

const base = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "inspect-"));

async function startPrism() {
  const specification = join(folder, "openai.json");
  writeFileSync(specification, JSON.stringify(excerpt(/^\/(chat\/completions|completions|embeddings|models|responses)/)));
  const cli = createRequire(import.meta.url).resolve("@stoplight/prism-cli/dist/index.js");
  const prism = spawn(process.execPath, [cli, "proxy", specification, base, "--errors", "--host", "127.0.0.1", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NO_COLOR: "1" } });
  process.on("exit", () => { prism.kill(); rmSync(folder, { recursive: true, force: true }); });
  return new Promise((resolve, reject) => {
    let output = "";
    prism.stdout.on("data", (text) => {
      output += text;
      const url = output.match(/listening on (http:\S+)/)?.[1];
      if (url) resolve(url);
    });
    prism.on("exit", () => reject(new Error(`Prism has ended: ${output}`)));
  });
}

const prism = await startPrism();
let report = { seen: {}, problems: [] };

let own = null;

/** Asks what is not OpenAI's. */
async function fetchOwn(url, options) {
  own ??= checkedFetch(base, (name, sent, status, problems) => report.problems.push(...problems.map((problem) => ({ name, own: problem, sent }))));
  return (await own)(url, options);
}

const passed = (headers, ...dropped) => Object.fromEntries(Object.entries(headers).filter(([name]) => !["connection", "content-length", "transfer-encoding", "keep-alive", ...dropped].includes(name)));

async function pass(request, response) {
  const path = request.url.replace(/^\/v1/, "");
  const body = await buffer(request);
  const streams = body.length > 0 && JSON.parse(body.toString()).stream === true;
  const operation = find(request.method, path.split("?")[0]);
  const answer = await (operation ? fetch : fetchOwn)((streams || !operation ? base : prism) + path, {
    method: request.method,
    headers: { ...passed(request.headers, "host"), "accept-encoding": "identity" },
    body: body.length > 0 ? body.toString() : undefined,
  });
  response.writeHead(answer.status, passed(Object.fromEntries(answer.headers)));
  const parts = [];
  for await (const part of answer.body ?? []) {
    parts.push(part);
    response.write(part);
  }
  const name = `${operation?.name ?? `${request.method} ${path}`}${streams ? ", streamed" : ""}`;
  report.seen[name] = (report.seen[name] ?? 0) + 1;
  const text = Buffer.concat(parts).toString();
  const type = answer.headers.get("content-type") ?? "";
  if (type.startsWith("application/problem+json")) report.problems.push({ name, prism: text.slice(0, 2000), sent: body.toString().slice(0, 500) });
  else if (operation) report.problems.push(...answerProblems(operation, answer.status, type, text).map((problem) => ({ name, ajv: problem, sent: body.toString().slice(0, 500) })));
  response.end();
}

const server = createServer(async (request, response) => {
  try {
    if (request.url !== "/report") return await pass(request, response);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(report));
    report = { seen: {}, problems: [] };
  } catch (error) {
    report.problems.push({ name: `${request.method} ${request.url}`, failed: String(error.stack) });
    response.destroy();
  }
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume().on("end", () => process.exit());
