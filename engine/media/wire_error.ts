/**
 * Errors between threads: what a class means survives, its stack does not.
 *
 * @module
 */
import { EngineError } from "../errors.ts";
import type { WireError } from "./analysis_protocol.ts";
import { CancelledError } from "./task_queue.ts";

export function toWire(error: unknown): WireError {
  if (error instanceof EngineError) {
    const { code, message, details } = error;
    return { kind: "engine", code, message, details };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError) return { kind: "range", message };
  if (error instanceof CancelledError) return { kind: "cancelled", message };
  return { kind: "other", message };
}

export function fromWire(error: WireError): Error {
  switch (error.kind) {
    case "engine":
      return new EngineError(error.code, error.message, error.details);
    case "range":
      return new RangeError(error.message);
    case "cancelled":
      return new CancelledError(error.message);
    case "other":
      return new Error(error.message);
  }
}
