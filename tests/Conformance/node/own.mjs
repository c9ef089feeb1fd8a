// Our own OpenAPI document, as the platform serves it: every answer is as it says, and every request that is honoured may be sent by it.
import Ajv from "ajv/dist/2020.js";

const methods = ["get", "post", "delete"];
const patterns = (documented) => `^${documented.replaceAll(/\{[^}]*\}/g, "[^/]+")}$`;

/** A fetch that tells `fail(what, sent, status, reasons)` what is not as the document says. */
export async function checkedFetch(base, fail) {
  const document = await (await fetch(new URL("/openapi.json", base))).json();
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: "sent", components: document.components });
  ajv.addSchema({ $id: "answered", components: strict(document.components) });
  const paths = Object.keys(document.paths).sort((a, b) => a.split("{").length - b.split("{").length);
  const validators = new Map();

  function problems(place, root, schema, value) {
    const key = `${root} ${place}`;
    if (!validators.has(key)) validators.set(key, ajv.compile(refer(root === "answered" ? strict(schema) : schema, root)));
    const validate = validators.get(key);
    return validate(value) ? [] : validate.errors.slice(0, 8).map((error) => `${error.instancePath || "/"} ${error.message}`);
  }

  function check(url, method, body, response, text) {
    const path = paths.find((documented) => new RegExp(patterns(documented)).test(new URL(url).pathname) && method in document.paths[documented]);
    if (!path) return response.status === 404 || response.status === 405 ? [] : ["the operation is not documented"];
    const operation = document.paths[path][method];
    const type = response.headers.get("content-type")?.split(";")[0];
    const answer = resolve(document, operation.responses[response.status] ?? operation.responses.default ?? {});
    const schema = answer.content?.[type]?.schema;
    if (!schema) return text.length === 0 ? [] : [`${response.status} ${type} is not documented`];
    const place = `${method} ${path} ${response.status} ${type}`;
    const values = type === "application/json" ? [text] : type === "text/event-stream" ? events(text) : [];
    const reasons = values.flatMap((value) => problems(place, "answered", schema, JSON.parse(value)).map((reason) => `${reason} in ${value.slice(0, 120)}`));
    const asked = operation.requestBody?.content["application/json"]?.schema;
    if (!response.ok || !asked || typeof body !== "string") return reasons;
    const [whole, bare] = [JSON.parse(body), present(JSON.parse(body))].map((sent) => problems(`${method} ${path}`, "sent", asked, sent));
    return whole.length > 0 ? [...reasons, ...bare] : reasons;
  }

  return async (url, options = {}) => {
    const response = await fetch(url, options);
    const method = (options.method ?? "GET").toLowerCase();
    if (methods.includes(method)) {
      const reasons = check(url, method, options.body, response, await response.clone().text());
      if (reasons.length > 0) fail(`${method.toUpperCase()} ${url}, by our own document`, options.body, response.status, reasons);
    }
    return response;
  };
}

const events = (text) => text.split("\n").filter((line) => line.startsWith("data: ") && line !== "data: [DONE]").map((line) => line.slice(6));

const resolve = (document, node) => (node.$ref ? node.$ref.slice(2).split("/").reduce((part, name) => part[name], document) : node);

/** What is null counts as what is not there, but where null says something. */
function present(value) {
  if (Array.isArray(value)) return value.map(present);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null).map(([name, member]) => [name, present(member)]));
}

/** A schema whose references lead to another place. */
const refer = (schema, root) => JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', `"${root}#/components/`));

/** A schema whose objects may have nothing but what it says. */
function strict(node) {
  if (Array.isArray(node)) return node.map(strict);
  if (node === null || typeof node !== "object") return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, member]) => [name, name === "allOf" ? member : strict(member)]));
  return copy.properties && copy.additionalProperties === undefined ? { ...copy, additionalProperties: false } : copy;
}
