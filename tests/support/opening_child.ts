/**
 * An engine whose project is being opened and never gets to its end, since most of its files answer nobody: it edits meanwhile, and prints each
 * revision that was acknowledged, until it is killed.
 *
 * Arguments: the folder of an `EnginePlace`, and the part of a path by which files that do not answer are known.
 *
 * @module
 */
import { Engine } from "../../engine/engine.ts";
import { HeldFiles } from "./held_files.ts";

const [base, part] = Deno.args;
const held = new HeldFiles((path) => path.includes(part));
const engine = await Engine.open({
  dataDir: `${base}/data`,
  cacheDir: `${base}/cache`,
  exportDir: `${base}/exports`,
  libraryRoots: [`${base}/library/far`, `${base}/library`],
  memoryBytes: 2 ** 24,
  backend: "null",
});
while (held.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 1));
for (let i = 0;; i++) {
  const clip = { clipId: `new ${i}`, assetId: `a${i % 90}`, startFrame: i * 10, lengthFrames: 10 };
  const edits = [{ op: "clip.add" as const, trackId: "near", clip }];
  const { revision } = engine.timeline.edit(edits, {}, { clientId: "child" });
  Deno.stdout.writeSync(new TextEncoder().encode(`${revision} ${engine.assets.list({}).total}\n`));
  await new Promise((resolve) => setTimeout(resolve, 0));
}
