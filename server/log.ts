/**
 * What the process says: one line an event, for people or, with `--log json`, for programs.
 *
 * @module
 */

/** Says events. `ready` goes to stdout; the rest goes there as JSON, and to stderr as text. */
export interface Log {
  ready(url: string): void;
  warn(code: string, message: string, details?: Record<string, unknown>): void;
  stopping(signal: string): void;
}

/** The log in one of its formats. */
export function createLog(format: "text" | "json"): Log {
  if (format === "json") {
    const say = (event: Record<string, unknown>) => console.log(JSON.stringify(event));
    return {
      ready: (url) => say({ event: "ready", url }),
      warn: (code, message, details = {}) => say({ event: "warning", code, message, details }),
      stopping: (signal) => say({ event: "stopping", signal }),
    };
  }
  return {
    ready: (url) => console.log(`Loophole listening on ${url}`),
    warn: (_code, message) => console.error(`Warning: ${message}`),
    stopping: (signal) => console.error(`${signal}: stopping`),
  };
}
