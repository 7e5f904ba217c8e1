/**
 * `/openrpc.json`, derived from the method table (https://spec.open-rpc.org).
 *
 * @module
 */
import { type JsonSchema, SchemaBook } from "../schema/to_json.ts";
import { RPC_CODE } from "./errors.ts";
import type { Method } from "./method.ts";
import { NOTIFICATIONS } from "./notifications.ts";

/** Writes the OpenRPC document of `methods` that are served at `url`; `x-notifications` holds what the engine sends unasked, in the same form. */
export function toOpenRpc(methods: Iterable<Method>, version: string, url: string): JsonSchema {
  const all = [...methods];
  const inputs = new SchemaBook("input");
  const outputs = new SchemaBook("output");
  for (const { name, params, result } of all) {
    inputs.add(name, params);
    outputs.add(name, result);
  }
  for (const { name, params } of NOTIFICATIONS) outputs.add(`notification ${name}`, params);
  const { added: paramSchemas } = inputs.write();
  const { named, added: resultSchemas } = outputs.write();
  return {
    openrpc: "1.3.2",
    info: {
      title: "Loophole engine: Pulse",
      version,
      description: "JSON-RPC 2.0 over WebSocket at /pulse, params by name.",
      license: { name: "MIT" },
    },
    servers: [{ name: "this engine", url }],
    methods: all.map(({ name, summary, errors = [], ordered }) => ({
      name,
      summary,
      paramStructure: "by-name",
      params: descriptors(paramSchemas.get(name), named),
      result: { name: "result", schema: resultSchemas.get(name) },
      errors: [...errors, "limit.exceeded"].map((code) => ({
        code: RPC_CODE.engine,
        message: code,
        data: { code },
      })),
      ...(ordered ? { "x-ordered": true } : {}),
    })),
    "x-notifications": NOTIFICATIONS.map(({ name, summary, topic }) => ({
      name,
      summary,
      "x-topic": topic,
      paramStructure: "by-name",
      params: descriptors(resultSchemas.get(`notification ${name}`), named),
    })),
    components: { schemas: named },
  };
}

/** An object's members as content descriptors; those that must be there stand first. A schema that has a name is looked up by it. */
function descriptors(
  schema: JsonSchema | undefined,
  named: Readonly<Record<string, JsonSchema>>,
): JsonSchema[] {
  const name = /^#\/components\/schemas\/(.+)$/.exec(String(schema?.$ref))?.[1];
  const { properties = {}, required = [] } =
    ((name === undefined ? schema : named[name]) ?? {}) as {
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
  return Object.entries(properties)
    .map(([name, schema]) => ({ name, required: required.includes(name), schema }))
    .sort((a, b) => Number(b.required) - Number(a.required));
}
