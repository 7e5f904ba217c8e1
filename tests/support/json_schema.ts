/**
 * JSON Schemas as others read them: what the documents say, held against what comes over the line.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix
import { Ajv2020 } from "npm:ajv@8.20.0/dist/2020.js";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Checks a value; the faults in words, none if it is right. */
export type Check = (value: unknown) => string[];

/** The schemas of a document (`/openrpc.json`, `/openapi.json`), compiled as draft 2020-12 and strict: unknown words are faults too. */
export class DocumentSchemas {
  readonly #ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });

  constructor(readonly document: Json) {
    for (const [name, schema] of Object.entries<Json>(document.components.schemas)) {
      this.#ajv.addSchema(named(schema), `named:${name}`);
    }
  }

  /** Compiles a schema of the document. Throws where it is none. */
  compile(schema: Json): Check {
    const check = this.#ajv.compile(named(schema));
    return (value) =>
      check(value)
        ? []
        : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  }

  /** Content descriptors as the schema of one object. */
  compileParams(params: Json[]): Check {
    return this.compile({
      type: "object",
      properties: Object.fromEntries(params.map(({ name, schema }) => [name, schema])),
      required: params.filter(({ required }) => required).map(({ name }) => name),
      additionalProperties: false,
    });
  }
}

/** References to the document's named schemas by their names. */
function named(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(named);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === "$ref" ? `named:${String(value).split("/").at(-1)}` : named(value),
    ]),
  );
}
