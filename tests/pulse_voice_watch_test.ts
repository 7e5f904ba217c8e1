import { assertEquals } from "@std/assert";
import { CALM_MS, VoiceWatch } from "../engine/pulse/services/voice_watch.ts";

Deno.test("voices that are silent for want of memory are told once, with what to do, and again after a calm time", () => {
  const warned: [string, string, Record<string, unknown>][] = [];
  const counters: Record<string, number> = {
    voicesRefused: 0,
    units: 488,
    "missing.budget": 0,
  };
  let nowMs = 0;
  const watch = new VoiceWatch({
    signal: () => ({ counters: () => ({ ...counters }), nowMs: () => nowMs }),
    warn: (...warning) => warned.push(warning),
  });
  const tick = (voicesRefused: number, missing: number) => {
    counters.voicesRefused = voicesRefused;
    counters["missing.budget"] += missing;
    nowMs += 1000;
    watch.tick();
  };
  tick(0, 0);
  // An offline render's voices are refused and wait: nobody misses them.
  tick(12, 0);
  // What a window could not hold is missed without a voice that was refused.
  tick(0, 100);
  assertEquals(warned, []);
  tick(10, 480);
  tick(9, 480);
  assertEquals(warned, [[
    "voices.refused",
    "10 voices are silent: two pages for each voice that plays do not fit into 8 MB; start with more --memory-mb, or let fewer tracks play at a time",
    { voices: 10, budgetBytes: 488 * 16_384 },
  ]]);
  tick(0, 0);
  tick(3, 480);
  assertEquals(warned.length, 1);
  nowMs += CALM_MS;
  tick(1, 480);
  assertEquals(warned.length, 2);
  assertEquals(warned[1][1].startsWith("1 voice is silent"), true);
});
