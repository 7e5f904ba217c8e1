/**
 * What the analysis worker does with each request. Free of the worker itself, so that a test can hold it in hand.
 *
 * @module
 */
import { analyseMedia } from "./analyse_task.ts";
import type {
  AnalysisCall,
  AnalysisCalls,
  AnalysisReply,
  AnalysisRequest,
  AnalysisResult,
  MediaId,
} from "./analysis_protocol.ts";
import { EngineError } from "../errors.ts";
import { hashMedia } from "./hash_task.ts";
import { MediaEntry } from "./media_entry.ts";
import { fromBucketsAlone, type PeakColumns, queryPeaks } from "./peak_query.ts";
import type { ScanLibrary } from "./scan.ts";
import { indexMedia } from "./seek_file.ts";
import { CancelledError, type Steps, type Task, TaskQueue } from "./task_queue.ts";
import { encodeWaveformDat, encodeWaveformJson } from "./waveform_data.ts";
import {
  checkWaveformRequest,
  imageHolds,
  waveformFromImage,
  waveformFromScan,
} from "./waveform_values.ts";
import { toWire } from "./wire_error.ts";

/** Somebody waits for a waveform; nobody for an index or a hash. Analyses lie between. */
const WAVEFORM_PRIORITY = 1e6;
const INDEX_PRIORITY = -1e5;
const HASH_PRIORITY = -1e6;
const PROGRESS_MS = 50;
/** Files kept open for queries. */
const MAX_SHARED_SCANS = 32;

export interface AnalysisServiceOptions {
  library: ScanLibrary;
  cacheDir: string;
  memoryBytes: number;
  post: (reply: AnalysisReply, transfer?: Transferable[]) => void;
  /** Called when everything is closed. */
  stopped: () => void;
}

type Params<K extends AnalysisCall> = AnalysisCalls[K]["params"];
type Answer<K extends AnalysisCall> = AnalysisCalls[K]["answer"];

export class AnalysisService {
  readonly #options: AnalysisServiceOptions;
  readonly #queue = new TaskQueue();
  /** In order of use, the latest last. */
  readonly #media = new Map<MediaId, MediaEntry>();
  readonly #tasks = new Map<number, Task<unknown>>();
  /** When more of a file was last told. */
  readonly #told = new Map<MediaId, number>();

  constructor(options: AnalysisServiceOptions) {
    this.#options = options;
  }

  /** Handles one message; never throws. */
  handle(request: AnalysisRequest): void {
    if ("cancel" in request) {
      this.#cancel(request.cancel);
      return;
    }
    const { id } = request;
    try {
      const answer = this.#perform(request);
      if (answer instanceof Promise) {
        answer.then((value) => this.#reply(id, value), (error) => this.#refuse(id, error));
      } else {
        this.#reply(id, answer);
      }
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  /** Ends the task of a request, unless another request waits for it too. */
  #cancel(id: number): void {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    if (task !== undefined && ![...this.#tasks.values()].includes(task)) task.cancel();
  }

  #perform(request: Exclude<AnalysisRequest, { cancel: number }>): unknown {
    switch (request.call) {
      case "open":
        return this.#open(request.params);
      case "analyse":
        return this.#analyse(request.id, request.params);
      case "prioritise":
        return this.#prioritise(request.params);
      case "peaks":
        return this.#peaks(request.params);
      case "waveform":
        return this.#waveform(request.id, request.params);
      case "index":
        return this.#index(request.id, request.params);
      case "hash":
        return this.#hash(request.id, request.params);
      case "close":
        return this.#close(request.params.mediaId);
      case "stop":
        return this.#stop();
    }
  }

  #reply(id: number, answer: unknown): void {
    this.#tasks.delete(id);
    this.#options.post({ id, answer }, buffersOf(answer));
  }

  #refuse(id: number, error: unknown): void {
    this.#tasks.delete(id);
    this.#options.post({ id, error: toWire(error) });
  }

  #open({ mediaId, path, known }: Params<"open">): Answer<"open"> {
    this.#close(mediaId);
    const { library, cacheDir } = this.#options;
    const media = MediaEntry.open(mediaId, path, library, cacheDir, known);
    this.#media.set(mediaId, media);
    const { info, subject, saved, present } = media;
    return { ...info, identity: subject.identityKey.toHex(), cached: saved, present };
  }

  #analyse(id: number, { mediaId, priority }: Params<"analyse">): Promise<AnalysisResult> {
    const media = this.#get(mediaId);
    const task = this.#startAnalysis(media, priority);
    this.#tasks.set(id, task);
    return task.done;
  }

  #startAnalysis(media: MediaEntry, priority: number): Task<AnalysisResult> {
    if (media.analysis !== undefined) {
      media.analysis.priority = Math.max(media.analysis.priority, priority);
      return media.analysis;
    }
    const task = this.#queue.add(analyseMedia(media, () => this.#tell(media)), priority);
    media.analysis = task;
    const over = () => {
      media.analysis = undefined;
      if (this.#media.get(media.mediaId) !== media) return;
      this.#tell(media, true);
      this.#trim(media);
    };
    task.done.then(over, over);
    return task;
  }

  #prioritise({ mediaId, priority }: Params<"prioritise">): void {
    const { analysis } = this.#get(mediaId);
    if (analysis !== undefined) analysis.priority = priority;
  }

  #peaks({ mediaId, query, deadlineMs }: Params<"peaks">): PeakColumns {
    const media = this.#get(mediaId);
    const image = this.#image(media);
    let scan;
    if (!fromBucketsAlone(query)) {
      try {
        scan = media.sharedScan();
      } catch (error) {
        // The file is away: its buckets are still worth showing.
        if (image === undefined) throw error;
      }
    }
    const { frames, channels } = media.info;
    const columns = queryPeaks({ frames, channels, image, scan }, query, { deadlineMs });
    this.#trim(media);
    return columns;
  }

  #waveform(
    id: number,
    { mediaId, request, bits, form }: Params<"waveform">,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const media = this.#get(mediaId);
    checkWaveformRequest(request, media.info);
    const image = this.#image(media);
    return this.#task(
      id,
      media,
      function* (): Steps<Uint8Array<ArrayBuffer>> {
        const encode = form === "dat" ? encodeWaveformDat : encodeWaveformJson;
        if (image !== undefined && imageHolds(image, request)) {
          return encode(yield* waveformFromImage(image, request, media.isFloat), bits);
        }
        using scan = media.openScan();
        return encode(yield* waveformFromScan(scan, request), bits);
      }(),
      WAVEFORM_PRIORITY,
    );
  }

  #index(id: number, { mediaId }: Params<"index">): Promise<string | null> {
    const media = this.#get(mediaId);
    return this.#task(id, media, indexMedia(media), INDEX_PRIORITY);
  }

  #hash(id: number, { mediaId }: Params<"hash">): Promise<string> {
    const media = this.#get(mediaId);
    let told = 0;
    const onProgress = (hashedBytes: number) => {
      const now = performance.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      this.#options.post({ id, hashedBytes });
    };
    return this.#task(id, media, hashMedia(media, onProgress), HASH_PRIORITY);
  }

  /** Queues work on behalf of one request. */
  #task<T>(id: number, media: MediaEntry, steps: Steps<T>, priority: number): Promise<T> {
    const task = this.#queue.add(steps, priority);
    this.#tasks.set(id, task);
    media.tasks.add(task);
    const over = () => void media.tasks.delete(task);
    task.done.then(over, over);
    return task.done;
  }

  #close(mediaId: MediaId): void {
    const media = this.#media.get(mediaId);
    this.#media.delete(mediaId);
    this.#told.delete(mediaId);
    media?.[Symbol.dispose]();
  }

  #stop(): void {
    for (const mediaId of [...this.#media.keys()]) this.#close(mediaId);
    this.#queue.clear();
    // After the replies that the cancelled tasks still owe.
    setTimeout(this.#options.stopped, 0);
  }

  #get(mediaId: MediaId): MediaEntry {
    const media = this.#media.get(mediaId);
    if (media === undefined) {
      throw new EngineError("asset.notFound", `Cannot analyse ${mediaId}: it is not open`, {
        assetId: mediaId,
      });
    }
    this.#media.delete(mediaId);
    this.#media.set(mediaId, media);
    return media;
  }

  /** The media's image; where the cache turns out to be damaged, a new analysis is begun. */
  #image(media: MediaEntry) {
    const had = media.saved;
    const image = media.loadImage();
    if (had && image === undefined) {
      this.#startAnalysis(media, 0).done.catch((error) => {
        // The next request for it will meet the same, and tell who asked.
        if (!(error instanceof CancelledError)) console.warn(`Peaks of ${media.path}: ${error}`);
      });
      this.#tell(media, true);
    }
    return image;
  }

  /** Tells how much of a file is analysed: at once for the first part and at the end, else now and then. */
  #tell(media: MediaEntry, always = false): void {
    const now = performance.now();
    const told = this.#told.get(media.mediaId);
    if (!always && told !== undefined && now - told < PROGRESS_MS) return;
    if (always) this.#told.delete(media.mediaId);
    else this.#told.set(media.mediaId, now);
    const { image } = media;
    this.#options.post({
      analysed: {
        mediaId: media.mediaId,
        analysedFrames: image?.analysedFrames ?? (media.saved ? media.info.frames : 0),
        complete: media.analysis === undefined && (image?.complete ?? media.saved),
      },
    });
  }

  /** Drops what has not been used for longest until memory and open files are within bounds; never what is in use now. */
  #trim(inUse: MediaEntry): void {
    let bytes = 0;
    let scans = 0;
    for (const media of [...this.#media.values()].reverse()) {
      if (media.image !== undefined && media.analysis === undefined && media.saved) {
        bytes += media.image.bytes.length;
        if (bytes > this.#options.memoryBytes && media !== inUse) media.image = undefined;
      }
      if (media.hasSharedScan && ++scans > MAX_SHARED_SCANS && media !== inUse) {
        media.releaseScan();
      }
    }
  }
}

/** The buffers in an answer, which are handed over rather than copied. */
function buffersOf(answer: unknown): Transferable[] {
  if (answer instanceof Uint8Array) return [answer.buffer as ArrayBuffer];
  if (typeof answer !== "object" || answer === null || !("min" in answer)) return [];
  const { min, max, rms } = answer as PeakColumns;
  return [...new Set([...min, ...max, ...rms].map((plane) => plane.buffer))];
}
