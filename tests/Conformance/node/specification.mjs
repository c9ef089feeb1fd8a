// The specification's schemas: validators of answers, and generated values of requests' fields.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import Ajv from "ajv/dist/2020.js";
import { parse } from "yaml";

const file = new URL("../Specification/openai-openapi.yaml.gz", import.meta.url);
const document = parse(gunzipSync(readFileSync(file)).toString("utf8"), { maxAliasCount: -1 });
const schemas = document.components.schemas;

// What OpenAPI 3.0 calls nullable JSON Schema writes as another type, and another word of an enumeration. Where "nullable" stands beside no type it says nothing.
function strip(node) {
  if (Array.isArray(node)) return node.map(strip);
  if (node === null || typeof node !== "object") return node;
  const copy = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === "nullable" || key === "discriminator" || key.startsWith("x-")) continue;
    copy[key] = strip(value);
  }
  if (node.nullable === true && copy.type) {
    copy.type = [copy.type, "null"].flat();
    if (copy.enum) copy.enum = [...copy.enum, null];
  }
  return copy;
}

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: "openai", components: { schemas: strip(schemas) } });
const validators = new Map();

/** Of alternatives that their `type` tells apart, the one that a value says it is. */
function alternative(name, value) {
  const alternatives = (schemas[name].anyOf ?? schemas[name].oneOf ?? []).filter((one) => one.$ref).map(schemaName);
  return alternatives.find((one) => schemas[one].properties?.type?.enum?.includes(value.type)) ?? name;
}

/** What is wrong with a value of a schema; empty: nothing. */
export function problems(name, value) {
  name = alternative(name, value);
  if (!validators.has(name)) validators.set(name, ajv.compile({ $ref: `openai#/components/schemas/${name}` }));
  const validate = validators.get(name);
  return validate(value) ? [] : validate.errors.slice(0, 8).map((error) => `${error.instancePath || "/"} ${error.message}`);
}

/** The named schema of a body or an answer. */
export const schemaName = (schema) => schema.$ref.split("/").at(-1);

export const operation = (route, method) => document.paths[route][method];

function resolve(schema) {
  return schema.$ref ? resolve(schemas[schemaName(schema)]) : schema;
}

/** All properties of an object schema, those of its parts included. */
export function properties(schema) {
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
      for (const item of take(samples(own.items ?? {}, depth + 1), 4)) yield Array(Math.max(own.minItems ?? 1, 1)).fill(item);
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
    const value = first(samples(all[name] ?? {}, depth + 1));
    if (value !== undefined) least[name] = value;
  }
  yield least;
  for (const [name, schema] of Object.entries(all)) {
    if (needed.includes(name) || depth > 3) continue;
    const value = first(samples(schema, depth + 1));
    if (value !== undefined) yield { ...least, [name]: value };
  }
}

function* take(values, count) {
  for (const value of values) {
    if (count-- <= 0) return;
    yield value;
  }
}

function first(values) {
  for (const value of values) return value;
  return undefined;
}
