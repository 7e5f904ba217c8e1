/**
 * The schemas of Pulse's words, for the server to compose and the service to check against.
 *
 * @module
 */
export * from "./schema/primitives.ts";
export * from "./schema/clip.ts";
export * from "./schema/timeline.ts";
export * from "./schema/timeline_steps.ts";
export * from "./schema/edit.ts";
export * from "./schema/asset.ts";
export * from "./schema/transport.ts";
export { issuesToInvalidParams, parseParams } from "./schema/parse.ts";
