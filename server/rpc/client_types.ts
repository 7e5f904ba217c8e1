/**
 * The typed client's view of `/pulse`, written from the method table: run by `deno task types`, checked by a test.
 *
 * @module
 */
import { ERROR_CODES } from "../../engine/errors.ts";
import { type JsonSchema, SchemaBook } from "../schema/to_json.ts";
import { toType } from "../schema/to_types.ts";
import { METHODS } from "./methods.ts";
import { NOTIFICATIONS } from "./notifications.ts";

/** Where the types are kept. */
export const CLIENT_TYPES = new URL("../web/client/schema.ts", import.meta.url);

/** The text of that file. */
export function toClientTypes(): string {
  const inputs = new SchemaBook("input");
  const outputs = new SchemaBook("output");
  for (const { name, params, result } of METHODS.values()) {
    inputs.add(name, params);
    outputs.add(name, result);
  }
  for (const { name, params } of NOTIFICATIONS) outputs.add(`notification ${name}`, params);
  const params = inputs.write().added;
  const { named, added } = outputs.write();
  return [
    "// deno-fmt-ignore-file",
    "/**",
    " * The words of `/pulse`, written by `deno task types` from the schemas that the engine checks them against. Not edited by hand.",
    " *",
    " * @module",
    " */",
    "",
    ...Object.entries(named).map(([name, schema]) => toDeclaration(name, schema)),
    "/** Codes of the engine's errors. */",
    `export type ErrorCode = ${ERROR_CODES.map((code) => JSON.stringify(code)).join(" | ")};`,
    "",
    "/** Params and result of each method. */",
    "export interface Methods {",
    ...[...METHODS.values()].map(({ name, summary }) =>
      `  /** ${summary} */\n  "${name}": {\n    params: ${
        toType(params.get(name)!)
      };\n    result: ${toType(added.get(name)!)};\n  };`
    ),
    "}",
    "",
    "/** Params of each notification. */",
    "export interface Notifications {",
    ...NOTIFICATIONS.map(({ name, summary }) =>
      `  /** ${summary} */\n  "${name}": ${toType(added.get(`notification ${name}`)!)};`
    ),
    "}",
    "",
  ].join("\n");
}

/** A named type, a member or a choice a line. */
function toDeclaration(name: string, schema: JsonSchema): string {
  const choices = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (choices !== undefined) {
    return `export type ${name} =${choices.map((one) => `\n  | ${toType(one)}`).join("")};\n`;
  }
  const { properties, required = [] } = schema as {
    properties: Record<string, JsonSchema>;
    required?: string[];
  };
  const members = Object.entries(properties).map(([member, type]) =>
    `  ${member}${required.includes(member) ? "" : "?"}: ${toType(type)};\n`
  );
  return `export interface ${name} {\n${members.join("")}}\n`;
}

if (import.meta.main) await Deno.writeTextFile(CLIENT_TYPES, toClientTypes());
