/**
 * A Signal without native code, for tests of the services alone: what is sent to it is kept until `take()`, as a renderer at its gate
 * would, and rendering gives what a function of the frame says.
 *
 * @module
 */
import { type Head, type HeadStep, runStep } from "../../engine/pulse/services/head.ts";
import { FakeDiagnosis } from "./fake_diagnosis.ts";
import type { Frames, HeadMapStep, MixModel } from "../../engine/signal/model.ts";
import type {
  DeviceEntry,
  DeviceHealth,
  DeviceState,
  MeterReading,
  OfflineRender,
  PositionRecord,
  SignalApi,
  SignalEvent,
  SourceInfo,
  WantedStretch,
} from "../../engine/signal/signal_api.ts";

export class FakeSignal implements SignalApi {
  readonly sampleRate = 48_000;
  events: SignalEvent[] = [];
  /** What the renderer has taken. */
  head: Head = {
    state: "stopped",
    positionFrame: 0,
    originFrame: 0,
    toFrame: null,
    loop: { enabled: false, startFrame: 0, endFrame: 0 },
  };
  revision = 0;
  timeMs = 0;
  /** What leaves the device, where that is not the head itself. */
  audibleFrame: Frames | null = null;
  sent: HeadStep[] = [];
  /** Publications made, and the one that the renderer has taken. */
  made = 0;
  acknowledged = 0;
  /** Mixes in the order in which they were rendered offline. */
  rendered: MixModel[] = [];
  /** The sample of both channels at a frame. */
  sample: (frame: Frames) => number = () => 0;
  missingFrames = 0;
  /** Held before each offline block, if set. */
  gate: Promise<void> | null = null;

  nowMs = () => this.timeMs;
  openSource = (): Promise<SourceInfo> => Promise.reject(new Error("not in the fake"));
  closeSource = () => {};
  setProxy = () => {};
  supply = () => null;
  isStale = () => false;
  publish(_mix: MixModel, revision: number, map: readonly HeadMapStep[]): void {
    this.#send({ kind: "map", revision, map });
  }
  play = (fromFrame?: Frames, toFrame?: Frames) => this.#send({ kind: "play", fromFrame, toFrame });
  pause = () => this.#send({ kind: "pause" });
  stop = () => this.#send({ kind: "stop" });
  seek = (positionFrame: Frames) => this.#send({ kind: "seek", positionFrame });
  setLoop = (loop: Head["loop"]) => this.#send({ kind: "loop", loop });

  #send(step: HeadStep): void {
    this.made++;
    this.sent.push(step);
  }

  /** A callback some time later takes all that was sent. */
  take(): void {
    this.timeMs += 25;
    this.acknowledged = this.made;
    for (const step of this.sent.splice(0)) {
      this.head = runStep(this.head, step);
      if (step.kind === "map") this.revision = step.revision;
    }
  }

  position(): PositionRecord {
    const { state, positionFrame, loop } = this.head;
    return {
      positionFrame,
      timeMs: this.timeMs,
      audibleFrame: this.audibleFrame ?? positionFrame,
      state,
      revision: this.revision,
      loop,
      latencyFrames: 256,
      rate: 1,
      framesRendered: 0,
      gateWaiting: this.sent.length > 0,
      acknowledged: this.acknowledged,
      made: this.made,
    };
  }
  drainEvents = () => this.events.splice(0);
  takeMeters = (): MeterReading | null => null;
  counters = () => ({});
  takeDamage = () => [];
  diagnosis = new FakeDiagnosis();
  trackCounters = () => ({ missing: 0, faded: 0, proxied: 0 });
  renderOffline(mix: MixModel, startFrame: Frames): OfflineRender {
    this.rendered.push(mix);
    let at = startFrame;
    return {
      next: async (frames) => {
        await this.gate;
        const out = new Float32Array(frames * 2);
        for (let i = 0; i < frames; i++) out[i * 2] = out[i * 2 + 1] = this.sample(at + i);
        at += frames;
        return out;
      },
      missing: () => this.missingFrames,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  openStream: SignalApi["openStream"] = () => {
    throw new Error("not in the fake");
  };
  openWindow: SignalApi["openWindow"] = () => {
    throw new Error("not in the fake");
  };
  /** Plans of what may be wanted, as they came. */
  plans: (readonly WantedStretch[])[] = [];
  budgetUnits = 300;
  anticipate: SignalApi["anticipate"] = (stretches) => this.plans.push(stretches);
  anticipation: SignalApi["anticipation"] = () => ({
    wantedPages: 0,
    residentPages: 0,
    budgetUnits: this.budgetUnits,
    listedPages: 0,
    plan: this.plans.length,
    settled: true,
  });
  residentFrames = () => 0;
  raiseColumns = () => false;
  listDevices = (_backend?: string): Promise<DeviceEntry[]> => Promise.resolve([]);
  openDevice: SignalApi["openDevice"] = () => Promise.reject(new Error("not in the fake"));
  closeDevice = () => Promise.resolve();
  deviceState = (): DeviceState | null => null;
  deviceHealth = (): DeviceHealth | null => null;
  measureDevice = () => Promise.resolve(0);
  [Symbol.asyncDispose] = () => Promise.resolve();
}
