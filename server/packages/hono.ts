/**
 * Hono, pinned. Here and not in `deno.json`, where a task would fetch it before anything of ours could say what to do without a network.
 *
 * @module
 */
export * from "npm:hono@4.13.19";
