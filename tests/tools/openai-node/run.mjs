// Runs the resource suites of openai-node (Apache-2.0, not part of this repository) against a running platform:
//   git clone https://github.com/openai/openai-node && ./serving up --model-alias …   (docs/openai-compatibility.md has the aliases)
//   npm install --prefix tests/tools/openai-node && node tests/tools/openai-node/run.mjs CHECKOUT [URL]
// The suites name things that exist on no server ('file_id', …): a proxy between makes each when it is first named. It prints every answer that is not a success.
import { spawnSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [checkout, url = 'http://127.0.0.1:8080'] = process.argv.slice(2);
if (!checkout) {
  console.error('Which checkout of openai-node? node run.mjs CHECKOUT [URL]');
  process.exit(2);
}

const tag = 'v6.49.0';
const suites = ['chat/completions/completions', 'chat/completions/messages', 'completions', 'models', 'embeddings', 'files', 'batches',
  'responses/responses', 'responses/input-items', 'responses/input-tokens'];
const model = 'smollm2-135m-instruct';
const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };

const post = async (path, body) => (await (await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })).json());
const upload = async (purpose, text) => {
  const form = new FormData();
  form.set('purpose', purpose);
  form.set('file', new Blob([text]), 'input.jsonl');
  return (await (await fetch(`${url}/v1/files`, { method: 'POST', headers: { authorization: headers.authorization }, body: form })).json()).id;
};

const messages = [{ role: 'user', content: 'Hello' }];
const line = JSON.stringify({ custom_id: '1', method: 'POST', url: '/v1/chat/completions', body: { model, messages, max_tokens: 4 } });
const chat = async () => (await post('/v1/chat/completions', { model, messages, max_tokens: 4, store: true })).id;
const response = async (path) => (await post('/v1/responses', { model, input: 'Hello', max_output_tokens: 16, background: path.endsWith('/cancel') })).id;
const made = {
  completion_id: chat,
  response_id: response,
  resp_677efb5139a88190b512bc3fef8e535d: response,
  file_id: () => upload('batch', line),
  input_file_id: () => upload('batch', line),
  batch_id: async () => (await post('/v1/batches', { input_file_id: await upload('batch', line), endpoint: '/v1/chat/completions', completion_window: '24h' })).id,
};

const answers = [];
const proxy = createServer(async (request, answer) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let body = Buffer.concat(chunks);
  let path = request.url;
  for (const [name, make] of Object.entries(made)) {
    if (path.split(/[/?]/).includes(name)) path = path.replace(name, await make(path));
    if (body.includes(`:"${name}"`)) body = Buffer.from(body.toString().replaceAll(`:"${name}"`, `:"${await make(path)}"`));
  }

  const sent = { ...request.headers };
  delete sent.host;
  delete sent.connection;
  delete sent['content-length'];
  const got = await fetch(url + path, { method: request.method, headers: sent, body: ['GET', 'HEAD'].includes(request.method) ? undefined : body });
  const text = Buffer.from(await got.arrayBuffer());
  answers.push({ request: `${request.method} ${request.url}`, status: got.status, text: text.toString().slice(0, 400), body: body.toString().slice(0, 600) });
  answer.writeHead(got.status, { 'content-type': got.headers.get('content-type') ?? 'application/json' }).end(text);
});
await new Promise((listening) => proxy.listen(0, '127.0.0.1', listening));

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '.suites');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const archive = spawnSync('git', ['-C', checkout, 'archive', tag, 'tests'], { maxBuffer: 1 << 28 });
if (archive.status !== 0 || spawnSync('tar', ['-x', '-C', folder], { input: archive.stdout }).status !== 0) {
  console.error(`${checkout} is no checkout of openai-node that has the tag ${tag}: ${archive.stderr}`);
  process.exit(2);
}

const config = { rootDir: folder, testEnvironment: 'node', transform: { '^.+\\.ts$': ['@swc/jest', { sourceMaps: 'inline' }] }, testTimeout: 60000 };
const jest = spawn(
  process.execPath,
  [join(here, 'node_modules/jest/bin/jest.js'), '--config', JSON.stringify(config), '--runInBand', '--verbose', '--forceExit', ...suites.map((suite) => join(folder, 'tests/api-resources', `${suite}.test.ts`))],
  { stdio: 'inherit', env: { ...process.env, TEST_API_BASE_URL: `http://127.0.0.1:${proxy.address().port}/v1` } });
const status = await new Promise((ended) => jest.on('exit', ended));
proxy.close();

// Some cases ask for an unknown path and want its 404.
const asked = answers.filter((answer) => !answer.request.includes('_stainless_unknown_path'));
const refused = asked.filter((answer) => answer.status < 200 || answer.status > 299);
console.log(`\n${asked.length} requests, ${refused.length} not answered with a success:`);
for (const { request, status: code, text, body } of refused) console.log(`\n${code} ${request}\n  sent: ${body}\n  got:  ${text}`);
process.exit(status);
