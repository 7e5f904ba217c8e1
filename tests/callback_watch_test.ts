/**
 * What a device's callback does in a process of Deno's that plays, watched from without: `native/interposer.c` stands before everything that may block.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ensureLibrary } from "../ffi/build.ts";
import { needs } from "./needs.ts";
import { buildSinner, type InterposerReport, runInterposed } from "./support/interposer.ts";
import { PulseServer } from "./support/pulse_server.ts";
import type { WatchedSession } from "./support/watched_session_child.ts";

const linux = Deno.build.os === "linux";

/** The doors that a session passes outside of its callback: were one not, the interposer would not see the callback there either. */
const USED = ["allocate", "free", "lock", "wait", "read", "open", "close", "sleep", "map"];

async function watch(
  backend: string,
  ...periods: number[]
): Promise<WatchedSession & InterposerReport> {
  const session = await runInterposed<WatchedSession & InterposerReport>(
    "watched_session_child.ts",
    await ensureLibrary(),
    backend,
    ...periods.map(String),
  );
  assertEquals(session.findings, [], "the callback does what may block");
  assertEquals(session.found, 0);
  for (const door of USED) assert(session.passed[door] > 0, `nobody comes by the door ${door}`);
  // All that reaches the callback has reached it.
  for (const kind of ["swap", "wrap", "end", "gapBegin", "gapEnd", "lost"]) {
    assert(session.events[kind] > 0, `no event ${kind}`);
  }
  for (const name of ["missing", "faded", "crossfades", "evictions", "publicationsTaken"]) {
    assert(session.counters[name] > 0, `${name}: ${session.counters[name]}`);
  }
  assert(session.metersTaken > 5, `${session.metersTaken} readings of the meters`);
  assert(session.tappedFrames > 10_000, `${session.tappedFrames} frames tapped`);
  return session;
}

Deno.test({
  name:
    "a session on the null device: its callback neither allocates, locks, waits nor calls the system",
  ignore: !linux,
  fn: async () => {
    const { callbacks, rendered } = await watch("null", 256, 128, 1024);
    // A callback while the device closes renders nothing any more.
    assert(callbacks >= rendered && rendered > 100, `${callbacks} callbacks, ${rendered} rendered`);
  },
});

for (const rate of [48_000, 44_100]) {
  Deno.test({
    name: `the same on a PulseAudio server at ${rate} Hz`,
    ...needs("pulseaudio"),
    fn: async () => {
      await using _server = await PulseServer.start(rate);
      const { callbacks, deviceRate } = await watch("pulseaudio", 256, 1024);
      assertEquals(deviceRate, rate);
      assert(callbacks > 100, `${callbacks} callbacks`);
    },
  });
}

Deno.test({
  name: "a callback that does any of the things that it must not is found out, each time",
  ignore: !linux,
  fn: async () => {
    const sinful = await runInterposed<
      InterposerReport & { names: string[]; times: number[]; foundBefore: number }
    >("sinful_child.ts", await buildSinner());
    assertEquals(sinful.foundBefore, 0);
    assert(sinful.names.length >= 30, `${sinful.names}`);
    assertEquals(sinful.names.filter((_, i) => !(sinful.times[i] >= 1)), [], "nobody saw these");
    for (const name of sinful.names) {
      const finding = sinful.findings.find(({ call }) => call === name);
      assert(finding !== undefined, `${name} is not told`);
      assertMatch(finding.stack.join("\n"), /^liblp-/m, `${name} is called by ${finding.stack}`);
    }
  },
});
