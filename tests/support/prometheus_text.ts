/**
 * A strict reader of Prometheus' text format 0.0.4, written from its description and sharing no code with what writes it. Whatever a lenient reader
 * would let pass is an error: names, escapes, the order of lines, duplicates, and what a histogram promises.
 *
 * @module
 */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}
export interface Family {
  name: string;
  type: "counter" | "gauge" | "histogram" | "summary" | "untyped";
  help: string;
  samples: Sample[];
}

const TYPES = ["counter", "gauge", "histogram", "summary", "untyped"] as const;
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^(?:NaN|[+-]?Inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/;

/** @throws {SyntaxError} that names the line. */
export function parsePrometheusText(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let open: Family | null = null;
  let help: { name: string; text: string } | null = null;
  if (text.includes("\r")) throw new SyntaxError("a carriage return");
  if (!text.endsWith("\n")) throw new SyntaxError("the last line has no end");
  text.slice(0, -1).split("\n").forEach((line, i) => {
    const refuse = (why: string): never => {
      throw new SyntaxError(`line ${i + 1}: ${why}: ${line}`);
    };
    if (line.startsWith("# HELP ")) {
      const [, name, words] = /^# HELP (\S+) (.*)$/.exec(line) ?? refuse("no help");
      if (!METRIC.test(name)) refuse("not a name");
      if (help !== null) refuse("help without a type");
      if (families.has(name)) refuse("lines of a name stand apart");
      if (/\\(?![\\n])/.test(words.replaceAll("\\\\", ""))) refuse("a wrong escape");
      help = { name, text: words };
    } else if (line.startsWith("# TYPE ")) {
      const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? refuse("no type");
      if (help?.name !== name) refuse("a type without its help");
      if (!(TYPES as readonly string[]).includes(type)) refuse("an unknown type");
      open = { name, type: type as Family["type"], help: help!.text, samples: [] };
      families.set(name, open);
      help = null;
    } else if (line.startsWith("#") || line === "") {
      refuse("neither help, type nor sample");
    } else {
      const sample = parseSample(line, refuse);
      if (open === null || help !== null) return refuse("a sample of no family");
      const suffixes = open.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!suffixes.some((suffix) => sample.name === open!.name + suffix)) {
        refuse(`a sample of another family than ${open.name}`);
      }
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(key)) refuse("twice the same sample");
      seen.add(key);
      if (open.type === "counter" && !(sample.value >= 0)) refuse("a counter below zero");
      if (open.type === "counter" && !open.name.endsWith("_total")) refuse("a counter's name");
      open.samples.push(sample);
    }
  });
  for (const family of families.values()) {
    if (family.samples.length === 0) throw new SyntaxError(`${family.name} has no sample`);
    if (family.type === "histogram") checkHistogram(family);
  }
  return families;
}

function parseSample(line: string, refuse: (why: string) => never): Sample {
  let at = line.search(/[{ ]/);
  if (at < 0) refuse("no value");
  const name = line.slice(0, at);
  if (!METRIC.test(name)) refuse("not a name");
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    at++;
    for (;;) {
      const equals = line.indexOf("=", at);
      const label = line.slice(at, equals);
      if (equals < 0 || !LABEL.test(label) || label.startsWith("__")) refuse("not a label");
      if (label in labels) refuse("a label twice");
      at = equals + 1;
      if (line[at++] !== '"') refuse("a value without quotes");
      let value = "";
      for (;; at++) {
        if (at >= line.length) refuse("a value without an end");
        if (line[at] === '"') break;
        if (line[at] !== "\\") {
          value += line[at];
          continue;
        }
        const escaped = line[++at];
        if (escaped === "n") value += "\n";
        else if (escaped === "\\" || escaped === '"') value += escaped;
        else refuse("a wrong escape");
      }
      labels[label] = value;
      at++;
      if (line[at] === "}") break;
      if (line[at++] !== ",") refuse("labels without a comma");
    }
    at++;
  }
  if (line[at] !== " ") refuse("no space before the value");
  const number = line.slice(at + 1);
  if (!NUMBER.test(number)) refuse("not a number");
  return { name, labels, value: toNumber(number) };
}

function toNumber(text: string): number {
  return text.endsWith("Inf") ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);
}

/** Buckets ascend, count up to `+Inf`, and say as much as `_count`. */
function checkHistogram({ name, samples }: Family): void {
  const series = Map.groupBy(
    samples,
    ({ labels: { le: _, ...rest } }) => JSON.stringify(Object.entries(rest).sort()),
  );
  for (const [labels, of] of series) {
    const refuse = (why: string): never => {
      throw new SyntaxError(`histogram ${name} ${labels}: ${why}`);
    };
    const buckets = of.filter((sample) => sample.name === `${name}_bucket`);
    const sum = of.filter((sample) => sample.name === `${name}_sum`);
    const count = of.filter((sample) => sample.name === `${name}_count`);
    if (sum.length !== 1 || count.length !== 1 || buckets.length === 0) refuse("not whole");
    let bound = -Infinity;
    let below = 0;
    for (const { labels: { le }, value } of buckets) {
      if (le === undefined || !NUMBER.test(le)) refuse("a bucket without a bound");
      if (!(toNumber(le) > bound)) refuse("bounds that do not ascend");
      if (!(value >= below) || !Number.isInteger(value)) refuse("counts that do not add up");
      bound = toNumber(le);
      below = value;
    }
    if (bound !== Infinity) refuse("no last bucket");
    if (below !== count[0].value) refuse("another count than its last bucket's");
  }
}
