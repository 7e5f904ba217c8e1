/**
 * Hono, pinned. Here and not in `deno.json`, whose packages a task would fetch before anything of ours could say what to do without a network; for
 * the same reason tasks name the lock file themselves.
 *
 * @module
 */
export * from "npm:hono@4.13.19";
