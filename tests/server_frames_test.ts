/** WebSocket frames from bytes, whole and in pieces, right and wrong. */
import { assertEquals } from "@std/assert";
import { FrameReader, type Incoming } from "../server/ws/frames.ts";
import { clientFrame } from "./support/server_client.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function read(parts: Uint8Array[], maxBytes = 1_000): Incoming[] {
  const reader = new FrameReader(maxBytes);
  return parts.flatMap((part) => [...reader.push(part)]);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("messages of every length come out as they went in, cut anywhere", () => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 70_001]) {
    const text = "ä".repeat(length >> 1) + "x".repeat(length & 1);
    const frame = joined(clientFrame(1, bytes(text)), clientFrame(1, bytes("next")));
    for (const cut of [1, 2, 3, 7, 4_096, frame.length]) {
      if (cut < 7 && length > 200) continue;
      const parts = [];
      for (let at = 0; at < frame.length; at += cut) parts.push(frame.slice(at, at + cut));
      assertEquals(read(parts, 100_000), [{ kind: "text", text }, { kind: "text", text: "next" }]);
    }
  }
});

Deno.test("fragments make one message, with control frames in between", () => {
  const frame = joined(
    clientFrame(1, bytes("a\u{1F600}").subarray(0, 3), false),
    clientFrame(9, bytes("ping")),
    clientFrame(0, bytes("a\u{1F600}").subarray(3), false),
    clientFrame(0, new Uint8Array()),
  );
  assertEquals(read([frame]), [
    { kind: "ping", payload: bytes("ping") },
    { kind: "text", text: "a\u{1F600}" },
  ]);
});

Deno.test("a message over the limit fails with 1009 before its payload is there, fragments counted together", () => {
  const whole = clientFrame(1, new Uint8Array(1_001)).subarray(0, 8);
  assertEquals(read([whole]).map((one) => one.kind === "failure" && one.code), [1009]);
  const parts = [clientFrame(1, new Uint8Array(600), false), clientFrame(0, new Uint8Array(600))];
  assertEquals(read(parts).map((one) => one.kind === "failure" && one.code), [1009]);
  const huge = new Uint8Array(14);
  huge.set([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
  assertEquals(read([huge]).map((one) => one.kind === "failure" && one.code), [1009]);
});

Deno.test("what breaks the protocol ends the reading with 1002 or 1007", () => {
  const unmasked = new Uint8Array([0x81, 1, 97]);
  const cases: [Uint8Array, number][] = [
    [unmasked, 1002],
    [joined(new Uint8Array([0xc1]), clientFrame(1, bytes("a")).subarray(1)), 1002], // Reserved bit.
    [clientFrame(3, bytes("a")), 1002], // Unknown opcode.
    [clientFrame(0, bytes("a")), 1002], // Nothing to continue.
    [joined(clientFrame(1, bytes("a"), false), clientFrame(1, bytes("b"))), 1002],
    [clientFrame(9, bytes("a"), false), 1002], // A control frame in fragments.
    [clientFrame(9, new Uint8Array(126)), 1002], // One that is too long.
    [clientFrame(8, new Uint8Array(1)), 1002], // Half a close code.
    [clientFrame(1, new Uint8Array([0xff, 0xfe])), 1007],
  ];
  for (const [frame, code] of cases) {
    const after = clientFrame(1, bytes("never read"));
    const failures = read([frame, after]).map((one) =>
      one.kind === "failure" ? one.code : one.kind
    );
    assertEquals(failures, [code]);
  }
});

Deno.test("a close frame is the last thing that is read", () => {
  const frames = [clientFrame(8, new Uint8Array([3, 232])), clientFrame(1, bytes("late"))];
  assertEquals(read(frames), [{ kind: "close", code: 1000 }]);
  assertEquals(read([clientFrame(8, new Uint8Array())]), [{ kind: "close", code: 1005 }]);
});
