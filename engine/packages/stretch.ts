/**
 * Signalsmith Stretch, pinned. Imported by the worker that stretches, when the first clip wants its pitch kept: no start needs it, nor a network for it.
 *
 * @module
 */
export { default } from "npm:signalsmith-stretch@1.3.2";
