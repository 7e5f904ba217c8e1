/**
 * Every method of `/pulse`, by name.
 *
 * @module
 */
import type { Method } from "./method.ts";
import { assetMethods } from "./methods/asset.ts";
import { clipWindowMethods } from "./methods/clip_window.ts";
import { deviceMethods } from "./methods/device.ts";
import { engineMethods } from "./methods/engine.ts";
import { exchangeMethods } from "./methods/exchange.ts";
import { libraryMethods } from "./methods/library.ts";
import { projectMethods } from "./methods/project.ts";
import { renderMethods } from "./methods/render.ts";
import { streamMethods } from "./methods/stream.ts";
import { timelineMethods } from "./methods/timeline.ts";
import { transportMethods } from "./methods/transport.ts";

/** The declarations, each with its own types: what the typed client is made of. */
export const DECLARED = [
  ...engineMethods,
  ...projectMethods,
  ...libraryMethods,
  ...assetMethods,
  ...timelineMethods,
  ...exchangeMethods,
  ...transportMethods,
  ...streamMethods,
  ...clipWindowMethods,
  ...renderMethods,
  ...deviceMethods,
];

/** The table that dispatch and `/openrpc.json` read. */
export const METHODS: ReadonlyMap<string, Method> = new Map(
  DECLARED.map((method): [string, Method] => [method.name, method]),
);
