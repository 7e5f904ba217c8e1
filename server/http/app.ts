/**
 * Aura over HTTP as one value: `createApp(…).request("/health")` answers without a network.
 *
 * @module
 */
import { Hono } from "hono";
import type { EngineApi } from "../../engine/api.ts";
import { parseParams } from "../../engine/pulse/schema.ts";
import type { Guard, Verdict } from "../guard.ts";
import { letRead, preflight } from "./cors.ts";
import { errorResponse, HttpError, toErrorResponse } from "./errors.ts";
import type { FileReader } from "./file_reader.ts";
import { fileRoutes } from "./file_routes.ts";
import { toOpenApi } from "./openapi.ts";
import { peaksRoutes } from "./peaks_routes.ts";
import { readinessRoutes } from "./readiness_routes.ts";
import { parseQuery, type Route } from "./route.ts";
import { StaticFiles } from "./static.ts";
import { systemRoutes } from "./system_routes.ts";

/** What an app is made of. */
export interface AppOptions {
  engine: EngineApi;
  /** Reads what is sent; stays its owner's. */
  files: FileReader;
  /** Folder of the page, absolute. */
  webRoot: string;
  /** `null` only where whoever calls the app has judged the request already. */
  guard: Guard | null;
  /** The server's own figures. */
  counters(): Readonly<Record<string, number>>;
  openRpc(): unknown;
}

/** The app: guard, routes, the page. */
export function createApp(options: AppOptions): Hono {
  const { engine, files, guard } = options;
  const routes: Route[] = [...peaksRoutes, ...readinessRoutes, ...fileRoutes];
  routes.push(...systemRoutes({
    counters: options.counters,
    openApi: () => toOpenApi(routes, engine.version),
    openRpc: options.openRpc,
  }));
  const app = new Hono();
  const page = new StaticFiles(files, options.webRoot);

  app.onError((error) => toErrorResponse(error));
  app.notFound(() => errorResponse("route.notFound", "There is nothing here"));

  const check = (request: Request, isOpen: boolean): Verdict =>
    guard?.check({
      method: request.method,
      url: new URL(request.url),
      headers: request.headers,
      isUpgrade: false,
    }, isOpen) ?? { allowed: true, origin: null, crossSite: false };

  app.use(async (c, next) => {
    const { raw } = c.req;
    // The token is asked for by the routes: the page's own files show nothing, and a browser could not load them with one.
    const verdict = check(raw, true);
    if (!verdict.allowed) return errorResponse(verdict.code, verdict.message);
    const { origin, crossSite } = verdict;
    if (raw.method === "OPTIONS") {
      c.res = preflight(raw, origin);
    } else {
      await next();
    }
    const { headers } = c.res;
    headers.set("x-content-type-options", "nosniff");
    headers.set("referrer-policy", "same-origin");
    headers.set("cross-origin-resource-policy", crossSite ? "cross-origin" : "same-origin");
    letRead(headers, origin);
  });

  for (const route of routes) {
    const path = route.path.replace("/{path}", "/*").replace(/\{(\w+)\}/g, ":$1");
    const prefix = route.path.endsWith("/{path}") ? route.path.slice(0, -"{path}".length) : null;
    app.on(route.method.toUpperCase(), path, async (c) => {
      const { raw } = c.req;
      const verdict = check(raw, false);
      if (!verdict.allowed) return errorResponse(verdict.code, verdict.message);
      const url = new URL(raw.url);
      // Segments are decoded once, by Hono; a path of several is left to its route.
      const given = prefix === null ? c.req.param() : { path: url.pathname.slice(prefix.length) };
      return await route.handle({
        engine,
        files,
        request: raw,
        params: parseParams(route.params, { ...given }),
        query: parseQuery(route.query, url),
      });
    });
  }

  app.get("*", (c) => {
    const { pathname } = new URL(c.req.url);
    if (pathname === "/pulse") {
      throw new HttpError("request.invalid", "/pulse is a WebSocket: upgrade to it");
    }
    return page.serve(c.req.raw, pathname);
  });
  return app;
}
