/**
 * Publishing a timeline that the renderer has nothing of yet, in slices: packing a hundred thousand clips at once would hold up the main
 * thread for a tenth of a second.
 *
 * @module
 */
import type { MixModel, MixTrack } from "../../signal/model.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import { Slices } from "../store/slices.ts";

/** Blocks that are packed at a time: about a millisecond. */
const BLOCKS_A_STEP = 6;

/** The mixes on the way to `mix`, each with a few blocks more than the one before; `mix` itself is the last. */
export function* growingMixes(mix: MixModel): Generator<MixModel> {
  const whole: MixTrack[] = [];
  let added = 0;
  for (const track of mix.tracks) {
    for (let blocks = 1; blocks < track.blocks.length; blocks++) {
      if (++added % BLOCKS_A_STEP !== 0) continue;
      yield { tracks: [...whole, { ...track, blocks: track.blocks.slice(0, blocks) }] };
    }
    whole.push(track);
    if (++added % BLOCKS_A_STEP === 0) yield { tracks: [...whole] };
  }
  yield mix;
}

/** Publishes `mix` to a renderer that plays nothing yet. */
export async function publishGradually(
  signal: SignalApi,
  mix: MixModel,
  revision: number,
): Promise<void> {
  const slices = new Slices();
  for (const part of growingMixes(mix)) {
    signal.publish(part, revision, []);
    await slices.turn();
  }
}
