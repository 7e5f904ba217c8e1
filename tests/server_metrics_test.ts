import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Exposition } from "../server/http/exposition.ts";
import { toMetrics } from "../server/http/metrics.ts";
import { DiagnosticsSchema } from "../server/schema/diagnostics.ts";
import { madeDiagnostics } from "./support/made_diagnostics.ts";
import { type Family, parsePrometheusText, type Sample } from "./support/prometheus_text.ts";

function metricsOf(diagnostics = madeDiagnostics(), server: Record<string, number> = {}) {
  return parsePrometheusText(toMetrics(DiagnosticsSchema.parse(diagnostics), server));
}
function samplesOf(families: Map<string, Family>, name: string): Sample[] {
  const family = families.get(name);
  assert(family !== undefined, `${name} is not told`);
  return family.samples;
}
const valueOf = (
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
  sample = name,
) => {
  const found = samplesOf(families, name).filter((of) =>
    of.name === sample && Object.entries(labels).every(([label, text]) => of.labels[label] === text)
  );
  assertEquals(found.length, 1, `${sample} ${JSON.stringify(labels)}`);
  return found[0].value;
};

Deno.test("/metrics is the text format to the letter, with a type and words for each figure", () => {
  const families = metricsOf(madeDiagnostics(), { connections: 2, connections_accepted_total: 9 });
  for (const { name, help } of families.values()) {
    assert(name.startsWith("loophole_"), name);
    assert(help.length > 0, name);
  }
  assertEquals(families.get("loophole_connections")!.type, "gauge");
  assertEquals(families.get("loophole_connections_accepted_total")!.type, "counter");
  assertEquals(valueOf(families, "loophole_connections_accepted_total"), 9);
});

Deno.test("/metrics tells missing frames by cause and by track, with any id", () => {
  const trackId = 'a\\"b\nc {x="y",} ü';
  const [track] = madeDiagnostics().tracks;
  const families = metricsOf(
    madeDiagnostics({ tracks: [{ ...track, trackId }, { ...track, trackId: "t" }] }),
  );
  assertEquals(valueOf(families, "loophole_missing_frames_total", { cause: "read" }), 2);
  assertEquals(valueOf(families, "loophole_missing_frames_total", { cause: "absent" }), 1);
  const ids = new Set(
    samplesOf(families, "loophole_track_missing_frames_total").map(({ labels }) => labels.track_id),
  );
  assertEquals([...ids], [trackId, "t"]);
  const cause = { track_id: trackId, cause: "absent" };
  assertEquals(valueOf(families, "loophole_track_missing_frames_total", cause), 1);
  assertEquals(valueOf(families, "loophole_track_read_seconds", { track_id: "t" }), 0.012);
});

Deno.test("/metrics has real histograms, in seconds", () => {
  const families = metricsOf();
  const name = "loophole_read_seconds";
  assertEquals(families.get(name)!.type, "histogram");
  const buckets = samplesOf(families, name).filter((sample) => sample.name === `${name}_bucket`);
  assertEquals(buckets.map(({ labels: { le }, value }) => [le, value]), [
    ["0.001", 1],
    ["0.01", 3],
    ["0.1", 3],
    ["+Inf", 4],
  ]);
  assertAlmostEquals(valueOf(families, name, {}, `${name}_sum`), 0.215, 1e-12);
  assertEquals(valueOf(families, name, {}, `${name}_count`), 4);
  const waits = "loophole_queue_wait_seconds";
  for (const tier of ["realtime", "anticipative"]) {
    assertEquals(valueOf(families, waits, { tier }, `${waits}_count`), 4);
  }
  const share = "loophole_callback_period_ratio";
  assertEquals(valueOf(families, share, { le: "1" }, `${share}_bucket`), 1, "shares have no unit");
});

Deno.test("/metrics names volumes, and what is not known is not told", () => {
  const [volume] = madeDiagnostics().volumes;
  const families = metricsOf(madeDiagnostics({
    volumes: [volume, {
      ...volume,
      volume: "7",
      folder: null,
      bytesPerSecond: null,
      stalled: true,
    }],
    forecast: {
      timeMs: 0,
      spanSeconds: 60,
      volumes: [{
        volume: "2049",
        folder: "/media/x",
        needBytesPerSecond: 3e6,
        haveBytesPerSecond: null,
        needDecodeFramesPerSecond: 0,
        haveDecodeFramesPerSecond: null,
        margin: null,
        worstSecond: 3,
      }],
    },
  }));
  const bytes = samplesOf(families, "loophole_volume_read_bytes_total");
  assertEquals(bytes.map(({ labels }) => labels), [
    { volume: "2049", folder: "/media/x" },
    { volume: "7" },
  ]);
  assertEquals(samplesOf(families, "loophole_volume_bytes_per_second").length, 1);
  assertEquals(valueOf(families, "loophole_volume_stalled", { volume: "7" }), 1);
  assertEquals(valueOf(families, "loophole_forecast_need_bytes_per_second"), 3e6);
  assert(!families.has("loophole_forecast_have_bytes_per_second"));
});

Deno.test("/metrics gives counters their end and durations their unit", () => {
  const families = metricsOf(madeDiagnostics({
    counters: { callbackNs: 5e9, callbacks: 7, units: 100, horizonMs: 1_500, "missing.read": 1 },
  }));
  assertEquals(valueOf(families, "loophole_counters_callback_seconds_total"), 5);
  assertEquals(valueOf(families, "loophole_counters_callbacks_total"), 7);
  assertEquals(families.get("loophole_counters_units")!.type, "gauge");
  assertEquals(valueOf(families, "loophole_counters_horizon_seconds"), 1.5);
  assertEquals([...families.keys()].filter((name) => name.includes("missing_read")), []);
});

Deno.test("Exposition refuses one name with two types", () => {
  const out = new Exposition();
  out.gauge("x_total", "X", 1);
  assertThrows(() => out.counter("x", "X", 1), TypeError, "x_total");
});

Deno.test("the reader that checks /metrics refuses what is wrong", () => {
  const good = '# HELP a_total A\n# TYPE a_total counter\na_total{x="1"} 2\n';
  assertEquals(parsePrometheusText(good).get("a_total")!.samples.length, 1);
  const histogram = (lines: string) => `# HELP h H\n# TYPE h histogram\n${lines}`;
  const whole = 'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n';
  parsePrometheusText(histogram(whole));
  const wrong = [
    good.slice(0, -1),
    good.replace("\n", "\r\n"),
    good.replace("# HELP a_total A\n", ""),
    good.replace("a_total{", "b_total{"),
    good.replace("counter", "meter"),
    good.replace(" 2", "  2"),
    good.replace(" 2", " two"),
    good.replace(" 2", " -2"),
    good.replace('"1"', "1"),
    good.replace('"1"', '"\\x"'),
    good.replace('x="1"', 'x="1",x="1"'),
    good.replace("x=", "1x="),
    good + good,
    good + 'a_total{x="1"} 3\n',
    good + "\n",
    good.replaceAll("a_total", "a"),
    histogram(whole.replace('h_bucket{le="+Inf"} 2\n', "")),
    histogram(whole.replace("h_count 2", "h_count 1")),
    histogram(whole.replace('le="1"} 1', 'le="1"} 3')),
    histogram(whole.replace("h_sum 3\n", "")),
    histogram(whole.replace('le="1"', 'le="one"')),
  ];
  for (const text of wrong) assertThrows(() => parsePrometheusText(text), SyntaxError);
});
