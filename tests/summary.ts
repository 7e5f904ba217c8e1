import { NOT_POSSIBLE } from "./needs.ts";

/** How many tests ended how. Steps are not counted: a test passes or fails as a whole. */
export interface Summary {
  passed: number;
  failed: number;
  ignored: number;
}

/** Finds the summary in what `deno test` printed; `undefined` where it did not come to one (types that do not fit, a crash). */
export function parseSummary(output: string): Summary | undefined {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const line = [...plain.matchAll(
    /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(.*)$/gm,
  )].at(-1);
  if (line === undefined) return undefined;
  const ignored = /\| (\d+) ignored/.exec(line[3])?.[1] ?? "0";
  return { passed: Number(line[1]), failed: Number(line[2]), ignored: Number(ignored) };
}

/** How many lines say of a test that this machine cannot run it. */
export function countImpossible(lines: readonly string[]): number {
  return lines.filter((line) => line.startsWith(NOT_POSSIBLE)).length;
}

/**
 * The verdict on a run, in the two numbers that are printed last.
 *
 * @param summary What `deno test` said, if it said something.
 * @param code Its exit status.
 * @param strict Whether a skipped test counts as failed.
 * @param impossible How many of the skipped this machine cannot run, whatever is installed: these never count.
 */
export function verdict(
  summary: Summary | undefined,
  code: number,
  strict: boolean,
  impossible = 0,
): { passed: number; failed: number; ok: boolean } {
  if (summary === undefined) return { passed: 0, failed: 1, ok: false };
  const { passed, ignored } = summary;
  let failed = summary.failed + (strict ? Math.max(0, ignored - impossible) : 0);
  if (code !== 0 && failed === 0) failed = 1;
  return { passed, failed, ok: failed === 0 && passed > 0 };
}
