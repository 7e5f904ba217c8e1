/**
 * The engine for programs that embed it: re-exports only. Each part adds its public names here.
 *
 * @module
 */
export {};
