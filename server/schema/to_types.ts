/**
 * TypeScript's types from JSON Schemas: what the typed client is made of.
 *
 * @module
 */
import type { JsonSchema } from "./to_json.ts";

/** The type that a schema describes, as TypeScript writes it. Bounds and patterns have no form there and are left out. */
export function toType(schema: JsonSchema): string {
  const { $ref, type, properties, additionalProperties, items, prefixItems } = schema;
  if (typeof $ref === "string") return $ref.replace("#/components/schemas/", "");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return union(schema.enum.map((one) => JSON.stringify(one)));
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return union(choices.map(toType));
  if (Array.isArray(prefixItems)) return `[${prefixItems.map(toType).join(", ")}]`;
  if (Array.isArray(type)) return union(type.map((one) => toType({ ...schema, type: one })));
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `${grouped(toType((items ?? {}) as JsonSchema))}[]`;
    case "object":
      return Object.keys(properties ?? {}).length === 0
        ? recordOf(additionalProperties)
        : objectOf(schema);
    case undefined:
      return "unknown";
  }
  throw new TypeError(`Cannot write a type for ${JSON.stringify(schema)}`);
}

/** The body of an interface: members that may be left out have a `?`. */
function objectOf({ properties, required = [], additionalProperties }: JsonSchema): string {
  const needed = new Set(required as string[]);
  const members = Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, schema]) => `${name}${needed.has(name) ? "" : "?"}: ${toType(schema)};`,
  );
  // An answer may have members that are not named; what is sent may not.
  if (typeof additionalProperties === "object") members.push("[name: string]: unknown;");
  return `{ ${members.join(" ")} }`;
}

function recordOf(values: unknown): string {
  return typeof values === "object" && values !== null
    ? `Record<string, ${toType(values as JsonSchema)}>`
    : "Record<string, never>";
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(" | ");
}

function grouped(type: string): string {
  return type.includes(" | ") ? `(${type})` : type;
}
