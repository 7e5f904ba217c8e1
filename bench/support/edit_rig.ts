/**
 * An edit without a server: the model, the journal in a real project file, packing, publishing, and a caller in the place of the device.
 *
 * @module
 */
import { emptyHistory } from "../../engine/pulse/history.ts";
import { modelFromTimeline } from "../../engine/pulse/model_from_timeline.ts";
import { openDatabase } from "../../engine/pulse/store/database.ts";
import { PROJECT_FILE } from "../../engine/pulse/store/project_schema.ts";
import { SqliteJournal } from "../../engine/pulse/store/sqlite_journal.ts";
import { TimelineService } from "../../engine/pulse/timeline_service.ts";
import { Signal } from "../../engine/signal/signal.ts";
import { laidTracks, RATE, SOURCE_FRAMES } from "./lay_clips.ts";

const ASSET = "6f1b1c36-0c6b-4a34-9a30-6bb4f7d1c001";
const CALLER = { clientId: "bench" };
const LEAST_BYTES = 40e6;

export class EditRig implements AsyncDisposable {
  #out = new Float32Array(0);

  private constructor(
    readonly signal: Signal,
    readonly service: TimelineService,
    readonly lengthFrames: number,
    private readonly database: ReturnType<typeof openDatabase>,
  ) {}

  /** @param folder Has `source.wav`, and gets a project file. */
  static async open(folder: string, clips: number, tracks: number): Promise<EditRig> {
    const signal = await Signal.open({ sampleRate: RATE, memoryBytes: LEAST_BYTES });
    await signal.openSource(ASSET, `${folder}/source.wav`);
    const { lengthFrames, tracks: laid } = laidTracks(ASSET, clips, tracks);
    const model = modelFromTimeline({ sampleRate: RATE, tracks: laid });
    const database = openDatabase(`${folder}/${tracks}-${clips}.loophole`, PROJECT_FILE);
    const service = new TimelineService({
      state: { model, revision: 1, history: emptyHistory },
      journal: new SqliteJournal(database),
      onCommit: ({ model, revision, map }) => signal.publish(model, revision, map),
    });
    signal.publish(model, 1, []);
    return new EditRig(signal, service, lengthFrames, database);
  }

  /** Deletes a segment, for all tracks. */
  cut(clipId: string): void {
    this.service.edit([{ op: "segment.delete", clipId }], {}, CALLER);
  }

  undo(): void {
    this.service.undo({}, CALLER);
  }

  /** Plays from a frame on, with all of the file in memory. */
  async play(frame: number): Promise<void> {
    const { signal } = this;
    signal.play(frame);
    const resident = () => signal.residentFrames(ASSET, 0, SOURCE_FRAMES);
    while (resident() < SOURCE_FRAMES) {
      signal.anticipate([{ assetId: ASSET, startFrame: 0, endFrame: SOURCE_FRAMES, rankMs: 0 }]);
      this.render(256);
      await new Promise((done) => setTimeout(done, 5));
    }
    this.render(RATE / 10);
  }

  render(frames: number): void {
    if (this.#out.length < frames * 2) this.#out = new Float32Array(frames * 2);
    const { symbols, renderer } = this.signal.native;
    if (symbols.lp_render(renderer, this.#out, frames) < 0) throw new Error("Cannot render");
  }

  /** Bytes of the newest row of the journal. */
  get journalledBytes(): number {
    const row = this.database.prepare(`
      SELECT length(info) + coalesce(length(forward), 0) + coalesce(length(backward), 0) + coalesce(length(redo), 0) AS bytes
      FROM journal ORDER BY revision DESC LIMIT 1
    `).get();
    return Number(row!.bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close();
    await this.signal[Symbol.asyncDispose]();
  }
}
