/**
 * Rate conversion of a recording as a whole, by the engine's filter, in a program of its own.
 *
 * @module
 */
import { buildNative, runNative } from "./native_program.ts";
import { unzip } from "./signal_rig.ts";

type Sides = [Float32Array, Float32Array];

/**
 * @param folder Where files may be written.
 * @returns As much as what is known of the recording decides; itself where the rates are equal.
 */
export async function convertWhole(
  folder: string,
  [left, right]: Readonly<Sides>,
  from: number,
  to: number,
): Promise<Sides> {
  if (from === to) return [left, right];
  const both = new Float32Array(left.length * 2);
  for (let i = 0; i < left.length; i++) both.set([left[i], right[i]], i * 2);
  const [input, output] = [`${folder}/whole.f32`, `${folder}/converted.f32`];
  await Deno.writeFile(input, new Uint8Array(both.buffer));
  const program = await buildNative("device", "plain");
  const { ok, text } = await runNative(program, ["convert", `${from}`, `${to}`, input, output]);
  if (!ok) throw new Error(`Cannot convert from ${from} to ${to} Hz:\n${text}`);
  return unzip(new Float32Array((await Deno.readFile(output)).buffer));
}
