/**
 * What a Signal without native code tells about itself: what a test has put there.
 *
 * @module
 */
import {
  type Fetched,
  type HistogramName,
  HISTOGRAMS,
  noFrames,
  type Overrun,
  type PageFill,
  type PageState,
  type RawHistogram,
  type SignalDiagnosis,
  type VolumeStats,
} from "../../engine/signal/diagnosis.ts";

export class FakeDiagnosis implements SignalDiagnosis {
  readonly bounds = [1e3, 1e6, 1e9];
  histogramsNow = Object.fromEntries(
    HISTOGRAMS.map((name) => [name, { sum: 0, max: 0, counts: [0, 0, 0, 0] }]),
  ) as unknown as Record<HistogramName, RawHistogram>;
  fetchedNow = new Map<string, Fetched>();
  volumesNow: VolumeStats[] = [];
  overruns: Overrun[] = [];
  fills: PageFill[] = [];
  pages = new Map<string, PageState>();

  histograms = () => this.histogramsNow;
  fetched = () => this.fetchedNow;
  volumes = () => this.volumesNow;
  takeOverruns = () => this.overruns.splice(0);
  takeFills = () => this.fills.splice(0);
  page = (source: number, frame: number) => this.pages.get(`${source} ${frame}`) ?? null;
  tracks = () => ({ tracks: new Map(), removed: { missing: 0, faded: 0 } });
  streams = () => ({ missing: noFrames(), faded: noFrames(), unrecorded: 0 });
  windowBytes = () => ({ wanted: 0, most: 0 });
}
