import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { Devices, type DeviceWish } from "../engine/pulse/services/devices.ts";
import { DEVICE_ID_BYTES, writeDeviceConfig } from "../engine/signal/device_records.ts";
import type { DeviceState } from "../engine/signal/signal_api.ts";
import { FakeSignal } from "./support/fake_signal.ts";

/** Devices of which some cannot be opened. */
function setUp(broken: readonly string[]) {
  const signal = new FakeSignal();
  const notices: Notification[] = [];
  const warnings: string[] = [];
  const state: { device: DeviceState | null; broken: readonly string[] } = {
    device: null,
    broken,
  };
  signal.deviceState = () => state.device;
  signal.openDevice = (wish: DeviceWish = {}) => {
    const backend = wish.backend ?? "auto";
    state.device = null;
    if (state.broken.includes(backend)) return Promise.reject(new Error(`${backend} is broken`));
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
  return { devices, notices, warnings, state, reasons };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

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
  const { devices, state, warnings, reasons } = setUp([]);
  devices.begin({ backend: "pulseaudio", device: "headset" });
  await settle();
  devices.tick();
  state.device = { ...state.device!, state: "lost" };
  devices.tick();
  devices.tick();
  await settle();
  assertEquals(warnings, ["device.lost"]);
  assertEquals(reasons(), ["open", "lost", "reopened"]);
  assertEquals([state.device?.state, state.device?.device], ["running", null]);
});

Deno.test("a device's record holds the longest id that a listing gives, and no longer one", () => {
  const request = { backend: 6, sampleRate: 48_000, periodFrames: 256 };
  const id = "ä".repeat(DEVICE_ID_BYTES / 2);
  const bytes = writeDeviceConfig({ ...request, id });
  assertEquals(new TextDecoder().decode(bytes.subarray(32, 32 + DEVICE_ID_BYTES)), id);
  assertThrows(() => writeDeviceConfig({ ...request, id: id + "x" }), RangeError);
});
