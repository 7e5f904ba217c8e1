/**
 * A JACK server without a card: its dummy driver, under a name of its own.
 *
 * @module
 */
import { KeptProgram, withEnvironment } from "./audio_server.ts";

/** libjack in this process finds it and no other. */
export class JackServer implements AsyncDisposable {
  readonly #name = `loophole-${crypto.randomUUID().slice(0, 8)}`;
  readonly #environment: Disposable;
  readonly rate: number;
  readonly period: number;
  #program: KeptProgram | null = null;

  constructor(rate: number, period: number) {
    this.rate = rate;
    this.period = period;
    this.#environment = withEnvironment({
      JACK_DEFAULT_SERVER: this.#name,
      JACK_NO_START_SERVER: "1",
    });
    this.run();
  }

  /** Runs it, again after `kill()`. When it answers is for who opens a device to find out. */
  run(): void {
    const arguments_ = ["-n", this.#name, "--no-realtime", "-d", "dummy"];
    const driver = ["-r", `${this.rate}`, "-p", `${this.period}`];
    this.#program = new KeptProgram(["jackd", ...arguments_, ...driver], {
      JACK_NO_AUDIO_RESERVATION: "1",
    });
  }

  /** As by a crash. */
  async kill(): Promise<void> {
    await this.#program?.kill();
    this.#program = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    this.#environment[Symbol.dispose]();
  }
}
