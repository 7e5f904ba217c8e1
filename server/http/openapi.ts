/**
 * `/openapi.json`, derived from the routes.
 *
 * @module
 */
import { z } from "zod";
import { type JsonSchema, SchemaBook } from "../schema/to_json.ts";
import { HTTP_ERROR_CODES } from "./errors.ts";
import type { Content, Route } from "./route.ts";

/** Statuses that any route may refuse with (API.md). */
const REFUSALS = {
  400: "The request is wrong in itself",
  401: "The token is missing or wrong",
  403: "The origin is not let in, or the file lies outside what may be read",
  404: "There is no such thing",
  409: "It is taken or in use",
  413: "The body is greater than the limit",
  421: "The Host is not this engine",
  503: "The engine starts, stops or is full",
} as const;

/** The body of every refusal. */
export const ErrorSchema = z.strictObject({
  error: z.strictObject({
    code: z.enum(HTTP_ERROR_CODES),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
  }),
});

/** Writes the OpenAPI 3.1 document of `routes`. */
export function toOpenApi(routes: readonly Route[], version: string): JsonSchema {
  const book = new SchemaBook();
  book.add("Error", ErrorSchema);
  const eachContent = (visit: (key: string, content: Content) => void) => {
    for (const { operationId, body, answers } of routes) {
      if (body) visit(`${operationId} body`, body);
      for (const [status, { content }] of Object.entries(answers)) {
        if (content) visit(`${operationId} ${status}`, content);
      }
    }
  };
  eachContent((key, content) => {
    for (const [type, schema] of Object.entries(content)) {
      if (typeof schema !== "string") book.add(`${key} ${type}`, schema);
    }
  });
  for (const { operationId, params, query } of routes) {
    book.add(`${operationId} params`, params);
    book.add(`${operationId} query`, query);
  }
  const { named, added } = book.write();
  const toContent = (key: string, content: Content) =>
    Object.fromEntries(
      Object.entries(content).map(([type, schema]) => [type, {
        schema: typeof schema === "string"
          ? { type: "string", ...(schema === "binary" ? { contentEncoding: "binary" } : {}) }
          : added.get(`${key} ${type}`),
      }]),
    );
  const parameters = (key: string, where: "path" | "query") => {
    const { properties = {}, required = [] } = added.get(key) as {
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, schema]) => ({
      name,
      in: where,
      required: where === "path" || required.includes(name),
      schema,
    }));
  };
  const paths: Record<string, JsonSchema> = {};
  for (const route of routes) {
    const { method, path, operationId, summary, body, answers } = route;
    const responses: Record<string, JsonSchema> = {};
    for (const [status, { description, content, headers = [] }] of Object.entries(answers)) {
      responses[status] = {
        description,
        ...(headers.length > 0
          ? {
            headers: Object.fromEntries(
              headers.map((name) => [name, { schema: { type: "string" } }]),
            ),
          }
          : {}),
        ...(content ? { content: toContent(`${operationId} ${status}`, content) } : {}),
      };
    }
    for (const [status, description] of Object.entries(REFUSALS)) {
      responses[status] ??= {
        description,
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      };
    }
    const operation = {
      operationId,
      summary,
      parameters: [
        ...parameters(`${operationId} params`, "path"),
        ...parameters(`${operationId} query`, "query"),
      ],
      ...(body
        ? { requestBody: { required: true, content: toContent(`${operationId} body`, body) } }
        : {}),
      responses,
    };
    paths[path] = { ...paths[path], [method]: operation };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Loophole engine: Aura",
      version,
      description:
        "Peaks, pictures, audio and renders. Requests that change things are made over WebSocket: /openrpc.json.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }, { ticket: [] }, {}],
    paths,
    components: {
      schemas: { ...named, Error: added.get("Error") },
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        ticket: { type: "apiKey", in: "query", name: "ticket" },
      },
    },
  };
}
