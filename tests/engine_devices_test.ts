import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Notification, OpenDevice } from "../engine/api.ts";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { SETTLING_MS, STRETCH_MS, STRETCHES } from "../engine/pulse/services/device_cadence.ts";
import { LOOK_MS } from "../engine/pulse/services/device_watch.ts";
import { Devices, type DeviceWish } from "../engine/pulse/services/devices.ts";
import { DEVICE_ID_BYTES, writeDeviceConfig } from "../engine/signal/device_records.ts";
import type { DeviceEntry, DeviceState } from "../engine/signal/signal_api.ts";
import { FakeSignal } from "./support/fake_signal.ts";

/** Audio systems of which some cannot be opened, with time that goes by in ticks of half a second. */
function setUp(broken: readonly string[]) {
  const signal = new FakeSignal();
  const notices: Notification[] = [];
  const warnings: string[] = [];
  const state = {
    device: null as DeviceState | null,
    broken,
    listed: [] as DeviceEntry[],
    /** Frames that the device has asked for, and how many it asks for in a second. */
    given: 0,
    speed: (_periodFrames: number) => 48_000,
    lastCallbackMs: null as number | null,
    latency: null as number | null,
    opened: [] as DeviceWish[],
  };
  signal.deviceState = () => state.device;
  signal.deviceHealth = () => ({ givenFrames: state.given, lastCallbackMs: state.lastCallbackMs });
  signal.listDevices = (backend = "auto") =>
    Promise.resolve(state.listed.filter((e) => backend === "auto" || e.backend === backend));
  signal.measureDevice = () => {
    if (state.latency === null || state.device === null) return Promise.resolve(0);
    state.device = { ...state.device, latencyFrames: state.latency };
    return Promise.resolve(1);
  };
  signal.openDevice = (wish: DeviceWish = {}) => {
    const backend = wish.backend ?? "auto";
    state.device = null;
    state.opened.push(wish);
    if (state.broken.includes(backend) || state.broken.includes(wish.device ?? "")) {
      return Promise.reject(new Error(`${backend} is broken`));
    }
    state.given = 0;
    state.lastCallbackMs = null;
    state.device = {
      backend,
      device: wish.device ?? null,
      name: backend,
      sampleRate: 48_000,
      periodFrames: wish.period ?? 256,
      latencyFrames: 512,
      state: "running",
    };
    return Promise.resolve(state.device);
  };
  const devices = new Devices({
    signal: () => signal,
    notify: (notice) => void notices.push(notice),
    warn: (code) => void warnings.push(code),
    onChanged: () => {},
  });
  const reasons = () => notices.map(({ params }) => (params as { reason: string }).reason);
  /** Half a second goes by. */
  const tick = async () => {
    signal.timeMs += 500;
    if (state.device?.state === "running") {
      state.given += state.speed(state.device.periodFrames) / 2;
      state.lastCallbackMs = signal.timeMs;
    }
    devices.tick();
    await settle();
  };
  const ticks = async (count: number) => {
    for (let i = 0; i < count; i++) await tick();
  };
  const lose = () => state.device = { ...state.device!, state: "lost" };
  return { devices, signal, notices, warnings, state, reasons, tick, ticks, lose };
}

const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve));
};

const entry = (backend: string, device: string, isDefault = false): DeviceEntry => ({
  backend,
  device,
  name: device,
  isDefault,
  sampleRate: 48_000,
  channels: 2,
});

Deno.test("the start does not wait for the device and falls to null where there is none", async () => {
  const { devices, warnings, reasons } = setUp(["auto"]);
  devices.begin({ backend: "auto", period: 128 });
  assertEquals(devices.current(), null);
  await settle();
  assertEquals(devices.current()?.backend, "null");
  assertEquals(devices.current()?.periodFrames, 128);
  assertEquals([warnings, reasons()], [["device.unavailable"], ["fallback"]]);
});

Deno.test("a device that cannot be opened leaves the one before", async () => {
  const { devices, state } = setUp(["alsa"]);
  devices.begin({ backend: "null", period: 64 });
  const error = await assertRejects(() => devices.open({ backend: "alsa" }), EngineError);
  assertEquals(error.code, "device.unavailable");
  assertEquals([state.device?.backend, state.device?.periodFrames], ["null", 64]);
  assertEquals((await devices.open({ backend: "jack" })).backend, "jack");
  await assertRejects(async () => await devices.open({ backend: "oss" }), InvalidParams);
  await assertRejects(async () => await devices.open({ period: 1 }), InvalidParams);
});

Deno.test("a device that is lost is told once and replaced by the default", async () => {
  const { devices, state, warnings, reasons, tick, lose } = setUp([]);
  devices.begin({ backend: "pulseaudio", device: "headset" });
  await settle();
  await tick();
  lose();
  devices.tick();
  devices.tick();
  await settle();
  assertEquals(warnings, ["device.lost"]);
  assertEquals(reasons(), ["open", "lost", "reopened"]);
  assertEquals([state.device?.state, state.device?.device], ["running", null]);
});

Deno.test("a wished device that vanished is gone back to when it is listed again, not before", async () => {
  const { devices, state, reasons, ticks, lose } = setUp([]);
  const speakers = entry("pulseaudio", "speakers", true);
  const headset = entry("pulseaudio", "headset");
  state.listed = [speakers, headset];
  devices.begin({ backend: "pulseaudio", device: "headset", period: 128 });
  await ticks(8);
  state.listed = [speakers];
  lose();
  await ticks(20);
  assertEquals(reasons(), ["open", "lost", "reopened", "list"]);
  assertEquals(state.device?.device, null);
  state.listed = [speakers, headset];
  await ticks(2 * LOOK_MS / 500);
  assertEquals(reasons().slice(4), ["list", "returned"]);
  assertEquals(state.opened.at(-1), { backend: "pulseaudio", device: "headset", period: 128 });
  // Who chooses the other one meanwhile stays there.
  state.listed = [speakers];
  lose();
  await ticks(2);
  await devices.open({ backend: "pulseaudio", device: "speakers" });
  state.listed = [speakers, headset];
  await ticks(20);
  assertEquals(state.device?.device, "speakers");
});

Deno.test("without a server playback goes on silently, looks for that server ever less often, and returns to it", async () => {
  const { devices, signal, state, warnings, reasons, tick, ticks, lose } = setUp([]);
  state.listed = [entry("pulseaudio", "speakers", true), entry("alsa", "hw", true)];
  signal.openDevice = ((open) => async (wish: DeviceWish = {}) => {
    const opened = await open(wish.backend === "auto" ? { ...wish, backend: "pulseaudio" } : wish);
    return opened;
  })(signal.openDevice);
  devices.begin({ backend: "auto", period: 256 });
  await ticks(2);
  state.listed = [entry("alsa", "hw", true)];
  state.broken = ["pulseaudio"];
  lose();
  const looks: number[] = [];
  signal.listDevices = ((list) => (backend) => {
    if (backend === "pulseaudio") looks.push(signal.timeMs);
    return list(backend);
  })(signal.listDevices);
  await ticks(120);
  assertEquals(reasons(), ["open", "lost", "fallback", "list"]);
  assertEquals(warnings, ["device.lost", "device.unavailable"]);
  // The card is left to the server that may come back.
  assertEquals(state.opened.map(({ backend }) => backend), ["pulseaudio", "pulseaudio", "null"]);
  const pauses = looks.slice(1).map((at, i) => at - looks[i]);
  assert(Math.min(...pauses) >= 500 && Math.max(...pauses) <= LOOK_MS + 500, `${pauses}`);
  // It is listed before it can be opened: another attempt, and nobody hears of the first.
  state.listed = [entry("pulseaudio", "speakers", true)];
  await ticks(20);
  assertEquals(reasons().slice(4), ["list"]);
  assertEquals(state.device?.backend, "null");
  state.broken = [];
  for (let i = 0; i < 30 && state.device?.backend === "null"; i++) await tick();
  assertEquals(reasons().slice(5), ["reopened"]);
  assertEquals(state.device?.backend, "pulseaudio");
  await ticks(20);
  assertEquals(reasons().length, 6);
});

Deno.test("a period that is not held is doubled until it is, and says so", async () => {
  const { devices, state, warnings, reasons, ticks, notices } = setUp([]);
  state.speed = (period) => period < 512 ? 24_000 : 48_000;
  devices.begin({ backend: "pulseaudio", period: 128 });
  const enough = (SETTLING_MS + STRETCHES * STRETCH_MS) / 500 + 2;
  await ticks(enough);
  assertEquals(state.device?.periodFrames, 256);
  await ticks(enough + 40);
  assertEquals(state.device?.periodFrames, 512);
  assertEquals(reasons(), ["open", "period", "period"]);
  assertEquals(warnings, ["device.period", "device.period"]);
  assertEquals(
    notices.map(({ params }) => (params as { device: OpenDevice }).device.periodFrames),
    [128, 256, 512],
  );
  assertEquals(Math.round(devices.current()!.cadence!), 48_000);
  // It is remembered where the device is opened again by itself, and tried anew where a person asks for it.
  state.device = { ...state.device!, state: "lost" };
  await ticks(2);
  assertEquals(state.device?.periodFrames, 512);
  assertEquals((await devices.open({ backend: "pulseaudio", period: 128 })).periodFrames, 128);
});

Deno.test("where the period is the server's it is left alone, and that is said once", async () => {
  const { devices, state, warnings, reasons, ticks } = setUp([]);
  state.speed = () => 24_000;
  devices.begin({ backend: "jack", period: 128 });
  await ticks(100);
  assertEquals(reasons(), ["open"]);
  assertEquals(warnings, ["device.period"]);
  assertEquals(state.device?.periodFrames, 128);
});

Deno.test("a device that no longer asks for sound is lost", async () => {
  const { devices, state, signal, notices, reasons, ticks } = setUp([]);
  devices.begin({ backend: "alsa" });
  await ticks(4);
  for (let i = 0; i < 14; i++) {
    signal.timeMs += 500;
    devices.tick();
    await settle();
  }
  assertEquals(reasons(), ["open", "lost", "reopened"]);
  const states = notices.map(({ params }) => (params as { device: OpenDevice }).device.state);
  assertEquals(states, ["running", "lost", "running"]);
  assertEquals(state.device?.state, "running");
});

Deno.test("devices that come and go are told, and a latency that is another than the buffer's size said", async () => {
  const { devices, state, reasons, ticks } = setUp([]);
  devices.begin({ backend: "pulseaudio" });
  await ticks(6);
  assertEquals(reasons(), ["open"]);
  state.listed = [entry("alsa", "usb")];
  await ticks(6);
  state.listed = [];
  await ticks(6);
  assertEquals(reasons(), ["open", "list", "list"]);
  state.latency = 800;
  await ticks(3);
  assertEquals(reasons().slice(3), ["latency"]);
  assertEquals(devices.current()?.latencyFrames, 800);
  state.latency = 700;
  await ticks(3);
  assertEquals(reasons().length, 4);
});

Deno.test("a device's record holds the longest id that a listing gives, and no longer one", () => {
  const request = { backend: 6, periodFrames: 256 };
  const id = "ä".repeat(DEVICE_ID_BYTES / 2);
  const bytes = writeDeviceConfig({ ...request, id });
  assertEquals(new TextDecoder().decode(bytes.subarray(32, 32 + DEVICE_ID_BYTES)), id);
  assertThrows(() => writeDeviceConfig({ ...request, id: id + "x" }), RangeError);
});
