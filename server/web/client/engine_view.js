// @ts-check
import { ClockSync } from "./clock.js";
import { Emitter } from "./emitter.js";
import { TimelineMirror } from "./mirror.js";
import { Playhead } from "./playhead.js";

/** @import { PulseClient, Sync } from "./client.js" */
/** @import { Notifications, Transport } from "./interface.ts" */

/**
 * `timeline`: it is another one; what changed is in the client's own `timeline.changed`. `transport`: it was set, by anyone.
 * @typedef {{ timeline: void, transport: Transport }} ViewEvents
 */

/**
 * What a user interface shows of the engine, kept current through edits of anyone, breaks, restarts and other projects: the timeline, the
 * transport, and where the sound is. Wants the topics `timeline` and `transport`.
 *
 * @extends {Emitter<ViewEvents>}
 */
export class EngineView extends Emitter {
  timeline = new TimelineMirror();
  playhead = new Playhead();
  /** @type {Transport | null} null until the first connection */
  transport = null;
  /** @type {(() => number)} */
  #now;
  /** Another project is open, and its timeline is on its way. */
  #isStale = false;

  /**
   * @param {PulseClient} client
   * @param {() => number} [now] our clock, in milliseconds
   */
  constructor(client, now = () => performance.now()) {
    super();
    this.client = client;
    this.#now = now;
    new ClockSync(client, now, (offsetMs) => this.playhead.setClockOffset(offsetMs));
    client.on("sync", (sync) => this.#sync(sync));
    client.on("timeline.changed", (changed) => this.#changed(changed));
    client.on("transport.state", (transport) => this.#setTransport(transport));
    client.on("transport.position", (report) => this.playhead.report(report, now()));
    client.on("project.changed", ({ project }) => {
      this.#isStale = true;
      client.resync(project);
    });
  }

  /** The frame that is heard now, or where playing would begin; with a fraction. */
  get frame() {
    return this.playhead.at(this.#now());
  }

  /** @param {Transport} transport */
  #setTransport(transport) {
    this.transport = transport;
    this.playhead.setTransport(transport);
    this.emit("transport", transport);
  }

  /** @param {Sync} sync */
  #sync({ topics: { timeline, transport } }) {
    const { client } = this;
    this.#isStale = false;
    if (timeline !== undefined) {
      if ("timeline" in timeline) this.timeline.reset(timeline.timeline, timeline.revision);
      else this.timeline.apply(timeline.changes, timeline.revision);
      this.#taken();
    }
    if (transport !== undefined) this.#setTransport(transport);
    if (timeline !== undefined) this.emit("timeline", undefined);
    client.revision = this.timeline.revision;
  }

  /** @param {Notifications["timeline.changed"]} changed */
  #changed({ revision, previousRevision, changes }) {
    if (this.#isStale || revision <= this.timeline.revision) return;
    try {
      if (previousRevision !== this.timeline.revision) {
        throw new RangeError(
          `Revision ${revision} follows ${previousRevision}, not ${this.timeline.revision}`,
        );
      }
      this.timeline.apply(changes, revision);
    } catch (error) {
      // What cannot be: everything anew.
      this.#isStale = true;
      this.client.fault(/** @type {Error} */ (error));
      this.client.resync();
      return;
    }
    this.#taken();
    this.playhead.awaitRevision(revision, this.#now());
    this.emit("timeline", undefined);
  }

  #taken() {
    this.client.revision = this.timeline.revision;
    this.playhead.setSampleRate(this.timeline.sampleRate);
  }
}
