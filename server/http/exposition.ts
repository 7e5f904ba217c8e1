/**
 * Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * @module
 */

/** Labels of one figure; one whose value is `null` is left out. */
export type Labels = Readonly<Record<string, string | null>>;

/** A histogram's values, in the metric's unit. */
export interface HistogramFigures {
  /** Upper bounds of all buckets but the last. */
  readonly bounds: readonly number[];
  /** One more than there are bounds; each counts its own bucket alone. */
  readonly counts: readonly number[];
  readonly sum: number;
}

interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly lines: string[];
}

/** The media type of the format. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Gathers figures by name; lines of one name stand together, whatever the order in which they come. */
export class Exposition {
  readonly #families = new Map<string, Family>();

  /** Something that only grows. The name's end, `_total`, is added where it is missing. */
  counter(name: string, help: string, value: number, labels: Labels = {}): void {
    const full = name.endsWith("_total") ? name : `${name}_total`;
    this.#family(full, "counter", help).lines.push(sample(full, labels, value));
  }

  /** How something is. */
  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#family(name, "gauge", help).lines.push(sample(name, labels, value));
  }

  histogram(name: string, help: string, figures: HistogramFigures, labels: Labels = {}): void {
    const { lines } = this.#family(name, "histogram", help);
    let below = 0;
    figures.counts.forEach((count, i) => {
      below += count;
      const le = i < figures.bounds.length ? number(figures.bounds[i]) : "+Inf";
      lines.push(sample(`${name}_bucket`, { ...labels, le }, below));
    });
    lines.push(sample(`${name}_sum`, labels, figures.sum));
    lines.push(sample(`${name}_count`, labels, below));
  }

  /** All of it, as text. */
  text(): string {
    let text = "";
    for (const [name, { type, help, lines }] of this.#families) {
      if (lines.length === 0) continue;
      text += `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
      text += `# TYPE ${name} ${type}\n`;
      text += lines.join("");
    }
    return text;
  }

  #family(name: string, type: Family["type"], help: string): Family {
    let family = this.#families.get(name);
    if (family === undefined) this.#families.set(name, family = { type, help, lines: [] });
    if (family.type !== type) {
      throw new TypeError(`Cannot tell ${name} as a ${type}: it is told as a ${family.type} too`);
    }
    return family;
  }
}

/** A number as Go's `ParseFloat` reads it. */
function number(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).flatMap(([label, text]) =>
    text === null ? [] : `${label}="${escaped(text)}"`
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}\n`;
}

/** A lone surrogate has no UTF-8: it becomes U+FFFD, as wherever text is encoded. */
function escaped(text: string): string {
  return text.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll(
    "\n",
    "\\n",
  );
}
