/**
 * The analysis of one file: from the cache, or by reading it once from front to back.
 *
 * @module
 */
import type { AnalysisResult } from "./analysis_protocol.ts";
import type { MediaEntry } from "./media_entry.ts";
import { probePeakFile, savePeakFile } from "./peak_file.ts";
import { PeakImage } from "./peak_image.ts";
import { BASE_FRAMES } from "./peak_layout.ts";
import { FLOATS_PER_PLANE } from "./scan.ts";
import type { Steps } from "./task_queue.ts";

/** The first step is short, so that something can be drawn at once. */
const FIRST_BUCKETS = 64;
const MOST_BUCKETS = 1 << 14;
/** What a step should take. */
const STEP_MS = 3;

/**
 * Fills `media.image` and writes the peak file.
 *
 * @param onProgress Called after each step.
 * @throws {EngineError} If the file cannot be read, or changed meanwhile; then nothing is written.
 */
export function* analyseMedia(
  media: MediaEntry,
  onProgress: () => void,
): Steps<AnalysisResult> {
  const { frames } = media.info;
  const cached = media.image === undefined
    ? probePeakFile(media.peakFile, media.subject)
    : media.image.complete
    ? media.image
    : undefined;
  if (cached !== undefined) {
    const { invalidSamples } = cached;
    return { frames, invalidSamples, peakFile: media.saved ? media.peakFile : null, cached: true };
  }
  const image = PeakImage.create(media.subject);
  media.image = image;
  let finished = false;
  try {
    {
      using scan = media.openScan();
      yield* fill(image, scan, onProgress);
      image.invalidSamples = scan.invalidSamples;
      // Opens it once more, which fails if the file is not the same any more: half old, half new peaks are kept by nobody.
      media.openScan()[Symbol.dispose]();
    }
    yield* image.seal();
    finished = true;
  } finally {
    if (!finished && media.image === image) media.image = undefined;
  }
  try {
    yield* savePeakFile(media.peakFile, image);
    media.saved = true;
    return {
      frames,
      invalidSamples: image.invalidSamples,
      peakFile: media.peakFile,
      cached: false,
    };
  } catch (error) {
    // A full disk costs the cache, not the analysis: the image stays in memory.
    return {
      frames,
      invalidSamples: image.invalidSamples,
      peakFile: null,
      writeError: error instanceof Error ? error.message : String(error),
      cached: false,
    };
  }
}

function* fill(
  image: PeakImage,
  scan: ReturnType<MediaEntry["openScan"]>,
  onProgress: () => void,
): Steps<void> {
  const buckets = image.levels[0].buckets;
  const values = new Float32Array(
    Math.min(MOST_BUCKETS, buckets) * scan.planes * FLOATS_PER_PLANE,
  );
  let step = FIRST_BUCKETS;
  for (let at = 0; at < buckets;) {
    const began = performance.now();
    const got = scan.peaks(at * BASE_FRAMES, BASE_FRAMES, Math.min(step, buckets - at), values);
    if (got === 0) throw new Error(`Cannot analyse ${scan.path}: it ended early`);
    image.append(values, got);
    at += got;
    onProgress();
    const took = performance.now() - began;
    if (took < STEP_MS / 2) step = Math.min(step * 2, MOST_BUCKETS);
    else if (took > STEP_MS * 2) step = Math.max(step / 2, FIRST_BUCKETS);
    yield;
  }
}
