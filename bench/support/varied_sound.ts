/**
 * Sound that gives codecs something to do all the time: chords of plucked strings, sweeps, bursts of coloured noise, drums, near silence.
 *
 * @module
 */
import { seededRandom } from "../../tests/support/audio_files.ts";

/** Frames a second of it. */
export const RATE = 48_000;
const CHANNELS = 2;

/** One second, interleaved in −1…1; the same number gives the same sound, any two differ. */
export function secondOfSound(second: number): Float32Array<ArrayBuffer> {
  const random = seededRandom(second * 7 + 3);
  const out = new Float32Array(RATE * CHANNELS);
  const loudness = 0.02 + 0.5 * random() ** 2;
  const strings = 3 + Math.floor(random() * 4);
  for (let i = 0; i < strings; i++) {
    pluck(out, {
      begin: Math.floor(random() * RATE * 0.7),
      hertz: 55 * 2 ** (random() * 5),
      gain: loudness * (0.3 + 0.4 * random()),
      pan: random(),
      bright: random(),
      seed: second * 16 + i,
    });
  }
  if (random() < 0.4) {
    sweep(out, loudness * 0.5, 80 * 2 ** (random() * 6), 80 * 2 ** (random() * 7), random());
  }
  const bursts = Math.floor(random() * 5);
  for (let i = 0; i < bursts; i++) {
    burst(out, {
      begin: Math.floor(random() * RATE),
      frames: Math.floor(400 + 16_000 * random() ** 2),
      gain: loudness * random(),
      colour: random(),
      pan: random(),
      seed: second * 32 + i,
    });
  }
  // A room is never quite silent.
  burst(out, {
    begin: 0,
    frames: RATE,
    gain: 3e-4,
    colour: 0.7,
    pan: 0.5,
    seed: second,
    flat: true,
  });
  return out;
}

interface Pluck {
  begin: number;
  hertz: number;
  gain: number;
  pan: number;
  /** How much of its first noise is high. */
  bright: number;
  seed: number;
}

/** A string by Karplus and Strong: a loop of noise that is smoothed each time round. */
function pluck(
  out: Float32Array,
  { begin, hertz, gain, pan, bright, seed }: Pluck,
): void {
  const random = seededRandom(seed + 11);
  const length = Math.max(8, Math.round(RATE / hertz));
  const loop = new Float32Array(length);
  let last = 0;
  for (let i = 0; i < length; i++) {
    last += (random() * 2 - 1 - last) * (0.2 + 0.8 * bright);
    loop[i] = last * gain;
  }
  const [left, right] = [1 - pan * 0.8, 0.2 + pan * 0.8];
  let at = 0;
  for (let i = begin; i < RATE; i++) {
    const next = at + 1 === length ? 0 : at + 1;
    const value = loop[at];
    loop[at] = 0.497 * (value + loop[next]);
    at = next;
    out[2 * i] += value * left;
    out[2 * i + 1] += value * right;
  }
}

/** From one frequency to another, evenly by ear. */
function sweep(out: Float32Array, gain: number, from: number, to: number, pan: number): void {
  let step = 2 * Math.PI * from / RATE;
  const grow = (Math.min(to, 20_000) / from) ** (1 / RATE);
  let phase = 0;
  for (let i = 0; i < RATE; i++) {
    const value = gain * Math.sin(phase) * Math.sin(Math.PI * i / RATE);
    phase += step;
    step *= grow;
    out[2 * i] += value * (1 - pan);
    out[2 * i + 1] += value * pan;
  }
}

interface Burst {
  begin: number;
  frames: number;
  gain: number;
  /** 0: white, towards 1: dark. */
  colour: number;
  pan: number;
  seed: number;
  /** Without its decay. */
  flat?: boolean;
}

function burst(out: Float32Array, { begin, frames, gain, colour, pan, seed, flat }: Burst): void {
  let noise = 1 + seed * 2_654_435 | 1;
  let envelope = gain * 2 ** -31;
  const decay = flat ? 1 : Math.exp(-7 / frames);
  let last = 0;
  const end = Math.min(RATE, begin + frames);
  for (let i = begin; i < end; i++) {
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise ^= noise << 5;
    last += (noise - last) * (1 - colour * 0.97);
    envelope *= decay;
    out[2 * i] += last * envelope * (1 - pan * 0.5);
    out[2 * i + 1] += last * envelope * (0.5 + pan * 0.5);
  }
}
