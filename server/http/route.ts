/**
 * What a route is: where it lies, what it takes and answers, as schemas, so that checking and `/openapi.json` come from one place.
 *
 * @module
 */
import { z } from "zod";
import type { EngineApi } from "../../engine/api.ts";
import { parseParams } from "../../engine/pulse/schema.ts";
import { InvalidParams } from "../../engine/errors.ts";
import type { FileReader } from "./file_reader.ts";

/** A body by media type: a schema for JSON, `binary` or `text` for what is not. */
export type Content = Readonly<Record<string, z.ZodType | "binary" | "text">>;

/** One answer of a route. */
export interface Answer {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: readonly string[];
}

/** What a handler works with. */
export interface RouteContext<Params, Query> {
  readonly engine: EngineApi;
  readonly files: FileReader;
  readonly request: Request;
  readonly params: Params;
  readonly query: Query;
}

/** A route below `/`. Braces in `path` name a segment; `{path}` at the end takes the rest, slashes included. */
export interface Route<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
> {
  readonly method: "get" | "put";
  readonly path: string;
  /** Name in `/openapi.json`. */
  readonly operationId: string;
  readonly summary: string;
  readonly params: Params;
  readonly query: Query;
  readonly body?: Content;
  readonly answers: Readonly<Record<number, Answer>>;
  handle(
    context: RouteContext<z.output<Params>, z.output<Query>>,
  ): Response | Promise<Response>;
}

/** Declares a route; the types of its handler follow from its schemas. */
export function route<Params extends z.ZodObject, Query extends z.ZodObject>(
  declared: Route<Params, Query>,
): Route {
  return declared as unknown as Route;
}

/** No parameters. */
export const none = z.strictObject({});

/** A number in a query: digits, sign, fraction; no hexadecimal, no blanks. */
export function numberText<T extends z.ZodType<number, number>>(schema: T) {
  return z.string().regex(/^-?\d{1,16}(\.\d{1,20})?(e[+-]?\d{1,3})?$/i, "must be a number")
    .transform(Number).pipe(schema);
}

/** Checks the query; a member that is unknown or stands there twice is refused by name. */
export function parseQuery<Query extends z.ZodObject>(schema: Query, url: URL): z.output<Query> {
  const members: Record<string, string> = Object.create(null);
  for (const [name, value] of url.searchParams) {
    if (name === "ticket") continue; // The guard's.
    if (name in members) throw new InvalidParams([name], "stands in the query twice");
    members[name] = value;
  }
  return parseParams(schema, { ...members });
}
