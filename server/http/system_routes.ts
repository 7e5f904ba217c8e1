/**
 * `/health`, `/metrics`, `/openapi.json`, `/openrpc.json`.
 *
 * @module
 */
import { z } from "zod";
import { DiagnosticsSchema } from "../schema/diagnostics.ts";
import { METRICS_CALLER, METRICS_TYPE, toMetrics } from "./metrics.ts";
import { none, type Route, route } from "./route.ts";

/** What the system routes tell beside the engine. */
export interface SystemSources {
  /** The server's own figures. */
  counters(): Readonly<Record<string, number>>;
  openApi(): unknown;
  openRpc(): unknown;
}

/** The system routes of one server. */
export function systemRoutes(sources: SystemSources): Route[] {
  const startedMs = performance.now();
  const health = route({
    method: "get",
    path: "/health",
    operationId: "getHealth",
    summary: "Whether the engine lives",
    params: none,
    query: none,
    answers: {
      200: {
        description: "It lives",
        content: {
          "application/json": z.strictObject({
            status: z.literal("ok"),
            version: z.string(),
            instanceId: z.string(),
            upMs: z.number(),
          }),
        },
      },
    },
    handle: ({ engine: { version, instanceId } }) =>
      Response.json(
        { status: "ok", version, instanceId, upMs: performance.now() - startedMs },
        { headers: { "cache-control": "no-store" } },
      ),
  });
  const metrics = route({
    method: "get",
    path: "/metrics",
    operationId: "getMetrics",
    summary: "Diagnostics in Prometheus' text format",
    params: none,
    query: none,
    answers: { 200: { description: "The figures", content: { "text/plain": "text" } } },
    handle: ({ engine }) =>
      new Response(
        toMetrics(
          DiagnosticsSchema.parse(engine.diagnostics.get(METRICS_CALLER)),
          sources.counters(),
        ),
        { headers: { "content-type": METRICS_TYPE, "cache-control": "no-store" } },
      ),
  });
  const document = (path: string, operationId: string, summary: string, make: () => unknown) => {
    let text: string | undefined;
    return route({
      method: "get",
      path,
      operationId,
      summary,
      params: none,
      query: none,
      answers: {
        200: {
          description: "The document",
          content: { "application/json": z.record(z.string(), z.unknown()) },
        },
      },
      handle: () =>
        new Response(text ??= JSON.stringify(make()), {
          headers: { "content-type": "application/json", "cache-control": "no-cache" },
        }),
    });
  };
  return [
    health,
    metrics,
    document(
      "/openapi.json",
      "getOpenApi",
      "This interface over HTTP, as OpenAPI 3.1",
      sources.openApi,
    ),
    document(
      "/openrpc.json",
      "getOpenRpc",
      "The interface over WebSocket at /pulse, as OpenRPC",
      sources.openRpc,
    ),
  ];
}
