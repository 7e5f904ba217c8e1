/**
 * Diagnostics in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * @module
 */

import { SERVER_CALLERS } from "../rpc/method.ts";

/** One figure. */
interface Sample {
  name: string;
  labels: string;
  value: number;
}

/** What a client that never resets sees, so that counters only grow. */
export const METRICS_CALLER = { clientId: `${SERVER_CALLERS}metrics` };

/** The media type of the format. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Every number in `diagnostics` as a line: nested names joined by `_`, the members of lists told apart by their id as a label.
 */
export function toMetrics(
  diagnostics: unknown,
  server: Readonly<Record<string, number>>,
): string {
  const samples: Sample[] = [];
  collect("loophole", "", diagnostics, samples, 0);
  for (const [name, value] of Object.entries(server)) {
    samples.push({ name: `loophole_${name}`, labels: "", value });
  }
  // Lines of one name must stand together, after one type line.
  const byName = Map.groupBy(samples, ({ name }) => name);
  let text = "";
  for (const [name, same] of byName) {
    text += `# TYPE ${name} untyped\n`;
    for (const { labels, value } of same) text += `${name}${labels} ${value}\n`;
  }
  return text;
}

/** Ids that tell members of a list apart. */
const LABELS = ["trackId", "assetId", "volume", "name"] as const;

function collect(
  name: string,
  labels: string,
  value: unknown,
  into: Sample[],
  depth: number,
): void {
  if (typeof value === "number") {
    if (Number.isFinite(value)) into.push({ name, labels, value });
  } else if (typeof value === "boolean") {
    into.push({ name, labels, value: Number(value) });
  } else if (Array.isArray(value)) {
    for (const member of value) {
      const own = labelOf(member);
      if (own !== null) collect(name, own, member, into, depth + 1);
    }
  } else if (typeof value === "object" && value !== null && depth < 6) {
    for (const [key, member] of Object.entries(value)) {
      collect(`${name}_${snakeCase(key)}`, labels, member, into, depth + 1);
    }
  }
}

function labelOf(member: unknown): string | null {
  if (typeof member !== "object" || member === null) return null;
  const key = LABELS.find((label) =>
    typeof (member as Record<string, unknown>)[label] === "string"
  );
  if (key === undefined) return null;
  const text = String((member as Record<string, unknown>)[key]);
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `{${snakeCase(key)}="${escaped}"}`;
}

function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9_]/g, "_").toLowerCase();
}
