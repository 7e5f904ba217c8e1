/**
 * JSON Schemas from zod schemas, where named ones refer to each other.
 *
 * @module
 */
import { z } from "zod";
import { NAMED } from "./named.ts";

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = Record<string, unknown>;

/** Collects the schemas of one document. */
export class SchemaBook {
  readonly #anonymous = new Map<string, z.ZodType>();
  readonly #io: "input" | "output";

  /** @param io `input`: what may be sent; `output`: what comes. */
  constructor(io: "input" | "output" = "output") {
    this.#io = io;
  }

  /** Puts a schema in; {@linkcode SchemaBook.write} gives it back under `key`. */
  add(key: string, schema: z.ZodType): void {
    this.#anonymous.set(key, schema);
  }

  /** All schemas: the named ones that may be referred to as `#/components/schemas/…`, and what was added. */
  write(): { named: Record<string, JsonSchema>; added: Map<string, JsonSchema> } {
    const registry = z.registry<{ id: string }>();
    const names = new Map<z.ZodType, string>();
    for (const [id, schema] of Object.entries(NAMED)) {
      registry.add(schema, { id });
      names.set(schema, id);
    }
    const added = new Map<string, JsonSchema>();
    const keys = new Map<string, string>();
    for (const [key, schema] of this.#anonymous) {
      const name = names.get(schema);
      if (name !== undefined) {
        added.set(key, { $ref: `#/components/schemas/${name}` });
        continue;
      }
      const id = `added ${keys.size}`;
      // A schema may stand in several places; each is written by itself.
      const own = schema.clone();
      registry.add(own, { id });
      keys.set(id, key);
    }
    const { schemas } = z.toJSONSchema(registry, {
      uri: (id) => `#/components/schemas/${id}`,
      io: this.#io,
      unrepresentable: "any",
    }) as { schemas: Record<string, JsonSchema> };
    const named: Record<string, JsonSchema> = {};
    for (const [id, schema] of Object.entries(schemas)) {
      const { $schema: _dialect, $id: _id, id: _own, ...rest } = schema;
      const key = keys.get(id);
      if (key === undefined) named[id] = rest;
      else added.set(key, rest);
    }
    return { named, added };
  }
}
