/**
 * From zod's issues to the one error of the interface.
 *
 * @module
 */
import type { z } from "zod";
import { InvalidParams } from "../../errors.ts";

type Path = readonly (string | number)[];

/** A value as a reason quotes it: short, on one line. */
function quoted(value: unknown): string {
  if (value === undefined) return "it is missing";
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value);
  }
  return `got ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
}

function at(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

/**
 * The first issue as `InvalidParams`: an unknown member is named in the path, the reason quotes the value.
 *
 * @param prefix Where the checked value stands in the request's params.
 */
export function issuesToInvalidParams(
  error: z.ZodError,
  value: unknown,
  prefix: Path = [],
): InvalidParams {
  const issue = error.issues[0];
  const path = issue.path.map((step) => typeof step === "symbol" ? String(step) : step);
  if (issue.code === "unrecognized_keys") {
    return new InvalidParams([...prefix, ...path, issue.keys[0]], "unknown member");
  }
  const reason = issue.code === "invalid_union" && "discriminator" in issue
    ? issue.message.replace("Invalid discriminator value. Expected", "must be one of")
    : issue.message;
  return new InvalidParams([...prefix, ...path], `${reason}, ${quoted(at(value, path))}`);
}

/**
 * Checks a value against a schema.
 *
 * @throws {InvalidParams} with the path of the first fault.
 */
export function parseParams<S extends z.ZodType>(
  schema: S,
  value: unknown,
  prefix: Path = [],
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw issuesToInvalidParams(result.error, value, prefix);
}
