// OpenAI's specification: its operations, what is wrong with an answer, and generated values of requests' fields.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import Ajv from "ajv/dist/2020.js";
import { parse } from "yaml";

// What OpenAPI 3.0 calls nullable JSON Schema writes as another type, and another word of an enumeration, or as an alternative.
function strip(node) {
  if (Array.isArray(node)) return node.map(strip);
  if (node === null || typeof node !== "object") return node;
  const copy = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === "nullable" || key === "discriminator" || key.startsWith("x-")) continue;
    copy[key] = strip(value);
  }
  if (node.nullable !== true) return copy;
  if (!copy.type) return { anyOf: [copy, { type: "null" }] };
  copy.type = [copy.type, "null"].flat();
  if (copy.enum) copy.enum = [...copy.enum, null];
  return copy;
}

/**
 * Where the specification says less than OpenAI's own API does, and than it says itself elsewhere; docs/openai-compatibility.md names these places. Whatever is not corrected
 * here is held as it stands.
 */
function correct(document) {
  const { paths, components: { schemas } } = document;
  // What is behind a flag of OpenAI's is written as paths of its own.
  for (const path of Object.keys(paths).filter((path) => path.includes("?"))) delete paths[path];
  // The finish_reason of a text completion's chunk is null until its choice ends. Of whole answers it is not.
  const whole = paths["/completions"].post.responses["200"].content;
  const chunk = structuredClone(schemas.CreateCompletionResponse);
  const reason = chunk.properties.choices.items.properties.finish_reason;
  chunk.properties.choices.items.properties.finish_reason = { anyOf: [reason, { type: "null" }] };
  schemas.CreateCompletionStreamResponse = chunk;
  whole["text/event-stream"] = { schema: { $ref: "#/components/schemas/CreateCompletionStreamResponse" } };
  // What encoding_format base64 asks for.
  schemas.Embedding.properties.embedding = { anyOf: [schemas.Embedding.properties.embedding, { type: "string", pattern: "^[A-Za-z0-9+/]*=*$" }] };
  // CreateFileRequest has this purpose, and OpenAIFile has not.
  schemas.OpenAIFile.properties.purpose.enum.push("evals");
  // The messages of a stored completion are those that it answers, of any role.
  const listed = schemas.ChatCompletionMessageList.properties.data.items;
  const message = structuredClone(schemas.ChatCompletionResponseMessage);
  message.properties.role = { type: "string", enum: ["developer", "system", "user", "assistant", "tool", "function"] };
  listed.allOf[0] = message;
  return document;
}

const file = new URL("../Specification/openai-openapi.yaml.gz", import.meta.url);
export const document = correct(strip(parse(gunzipSync(readFileSync(file)).toString("utf8"), { maxAliasCount: -1 })));
const { schemas } = document.components;

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: "openai", components: { schemas } });
const validators = new WeakMap();

/** The operation that a request means; undefined: the specification knows none. */
export function find(method, pathname) {
  const asked = pathname.split("/");
  const matches = (route) => {
    const parts = route.split("/");
    return parts.length === asked.length && parts.every((part, i) => part === asked[i] || (part.startsWith("{") && asked[i] !== ""));
  };
  // Of two routes that fit, the one with fewer variables is meant.
  const route = Object.keys(document.paths).filter((known) => matches(known) && document.paths[known][method.toLowerCase()])
    .sort((left, right) => left.split("{").length - right.split("{").length)[0];
  return route && operation(method, route);
}

/** An operation: its name, where its fields stand (json, form or query), their schemas by name, and what answers it has by media type. */
export function operation(method, route) {
  const { parameters = [], requestBody, responses } = document.paths[route][method.toLowerCase()];
  const query = parameters.filter((parameter) => parameter.in === "query").map(({ name, schema }) => [name, schema]);
  const form = requestBody?.content["multipart/form-data"];
  const body = form ?? requestBody?.content["application/json"];
  const fields = body ? properties(body.schema) : Object.fromEntries(query);
  return { name: `${method} ${route}`, route, place: form ? "form" : body ? "json" : "query", fields, answers: responses["200"].content ?? {} };
}

/** The specification of the paths that a pattern matches, with the components that they need. Prism starts twice as fast with it as with the whole. */
export function excerpt(pattern) {
  const { openapi, info, security } = document;
  const components = { securitySchemes: document.components.securitySchemes };
  const collect = (node) => {
    if (node === null || typeof node !== "object") return;
    const [, kind, name] = (typeof node.$ref === "string" && node.$ref.match(/^#\/components\/(\w+)\/(.*)$/)) || [];
    if (kind && !components[kind]?.[name]) {
      (components[kind] ??= {})[name] = document.components[kind][name];
      collect(components[kind][name]);
    }
    Object.values(node).forEach(collect);
  };
  const paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => pattern.test(path)));
  collect(paths);
  return { openapi, info, security, paths, components };
}

/** What is wrong with an answer to an operation; empty: nothing. A stream's chunks are looked at one by one. */
export function answerProblems(operation, status, contentType, text) {
  if (status >= 400) return problems({ $ref: "#/components/schemas/ErrorResponse" }, JSON.parse(text));
  const { answers } = operation;
  if (contentType.startsWith("text/event-stream")) return streamProblems(operation, answers["text/event-stream"].schema, text);
  // The contents of a file are what they are; and of an answer to the deletion of a response the specification says nothing.
  const schema = answers["application/json"]?.schema;
  return schema && contentType.startsWith("application/json") ? problems(schema, JSON.parse(text)) : [];
}

function streamProblems(operation, schema, text) {
  const data = text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
  if (!operation.route.startsWith("/responses") && data.pop() !== "[DONE]") return ["the stream does not end in [DONE]"];
  return data.length === 0 ? ["the stream is empty"] : data.flatMap((chunk) => problems(schema, JSON.parse(chunk)).map((problem) => `${problem} in ${chunk.slice(0, 120)}`));
}

/** What is wrong with a value of a schema; empty: nothing. */
export function problems(schema, value) {
  schema = alternative(schema, value);
  if (!validators.has(schema)) validators.set(schema, ajv.compile(absolute(schema)));
  const validate = validators.get(schema);
  return validate(value) ? [] : validate.errors.slice(0, 8).map((error) => `${error.instancePath || "/"} ${error.message}`);
}

/** Of alternatives that their `type` tells apart, the one that a value says it is: then what is wrong is told of that one alone. */
function alternative(schema, value) {
  const own = resolve(schema);
  return (own.anyOf ?? own.oneOf ?? []).find((one) => one.$ref && resolve(one).properties?.type?.enum?.includes(value?.type)) ?? own;
}

function absolute(node) {
  if (Array.isArray(node)) return node.map(absolute);
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, key === "$ref" && typeof value === "string" ? value.replace(/^#/, "openai#") : absolute(value)]));
}

function resolve(schema) {
  return schema.$ref ? resolve(schemas[schema.$ref.split("/").at(-1)]) : schema;
}

/** All properties of an object schema, those of its parts included. */
function properties(schema) {
  const own = resolve(schema);
  const all = {};
  for (const part of own.allOf ?? []) Object.assign(all, properties(part));
  return Object.assign(all, own.properties ?? {});
}

const required = (schema) => {
  const own = resolve(schema);
  return [...(own.allOf ?? []).flatMap(required), ...(own.required ?? [])];
};

/** Values that a schema admits: each alternative, each word of an enumeration, the ends of each range, objects with what they need and with all that they may have. */
export function* samples(schema, depth = 0) {
  const own = resolve(schema);
  if (depth > 6) return;
  if ("const" in own) yield own.const;
  else if (own.enum) yield* own.enum;
  else if (own.oneOf ?? own.anyOf) for (const one of own.oneOf ?? own.anyOf) yield* samples(one, depth + 1);
  else if (own.allOf && !own.properties && own.allOf.length === 1) yield* samples(own.allOf[0], depth + 1);
  else for (const type of [own.type ?? (own.properties || own.allOf ? "object" : undefined)].flat()) yield* ofType(type, own, depth);
}

function* ofType(type, own, depth) {
  switch (type) {
    case "null":
      yield null;
      break;
    case "boolean":
      yield true;
      yield false;
      break;
    case "string":
      yield "x".repeat(Math.max(own.minLength ?? 1, 1));
      break;
    case "integer":
    case "number":
      yield own.minimum ?? 1;
      if (own.maximum !== undefined && Math.abs(own.maximum) < 2 ** 53) yield own.maximum;
      if (own.default !== undefined && own.default !== null) yield own.default;
      break;
    case "array":
      for (const item of take(samples(own.items ?? {}, depth + 1), 10)) yield Array(Math.max(own.minItems ?? 1, 1)).fill(item);
      break;
    case "object":
      yield* objects(own, depth);
      break;
  }
}

function* objects(own, depth) {
  const all = properties(own);
  const needed = required(own);
  const least = {};
  for (const name of needed) {
    const [value] = samples(all[name] ?? {}, depth + 1);
    if (value !== undefined) least[name] = value;
  }
  yield least;
  if (depth > 3) return;
  for (const [name, schema] of Object.entries(all)) {
    for (const value of take(samples(schema, depth + 1), depth < 2 ? 4 : 1)) yield { ...least, [name]: value };
  }
  // A name that is a label as well as a token id.
  if (typeof own.additionalProperties === "object") for (const value of take(samples(own.additionalProperties, depth + 1), 2)) yield { ...least, 1: value };
}

function* take(values, count) {
  for (const value of values) {
    if (count-- <= 0) return;
    yield value;
  }
}
