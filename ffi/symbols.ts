/**
 * The native library's functions as data: one slot for each of `native/engine.h`, in its order. What each does, in which units and on
 * which thread, is written there. `nonblocking` stands where the header says `[blocking]`.
 *
 * Only numbers and buffers occur, so that permission for the library's own file is enough. Native code uses a buffer within the call;
 * with `nonblocking` its owner must keep it alive until the promise settles.
 *
 * @module
 */

/** `LP_ABI_VERSION` that this table was written for. */
export const ABI_VERSION = 6;

export const SYMBOLS = {
  lp_abi_version: { parameters: [], result: "i32" },

  // ---- engine
  lp_engine_create: {
    parameters: [
      "u32", /* sample_rate */
      "f64", /* slab_bytes */
      "u32", /* fill_threads */
      "u32", /* flags */
    ],
    result: "i32",
  },
  lp_engine_close: { parameters: ["u32" /* engine */], result: "i32", nonblocking: true },
  lp_now_ms: { parameters: ["u32" /* engine */], result: "f64" },
  lp_clock_set: { parameters: ["u32", /* engine */ "f64" /* now_ms */], result: "i32" },

  // ---- sources
  lp_source_open: {
    parameters: [
      "u32", /* engine */
      "buffer", /* const uint8_t *path */
      "u32", /* path_bytes */
      "buffer", /* uint8_t *info */
      "u32", /* info_bytes */
    ],
    result: "i32",
    nonblocking: true,
  },
  lp_source_set_fold: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "buffer", /* const float *coefficients */
      "u32", /* count */
    ],
    result: "i32",
  },
  lp_source_set_proxy: {
    parameters: ["u32", /* engine */ "u32", /* source */ "u32" /* proxy */],
    result: "i32",
  },
  lp_source_close: { parameters: ["u32", /* engine */ "u32" /* source */], result: "i32" },
  lp_source_prefetch: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "f64", /* start_frame */
      "f64", /* end_frame */
    ],
    result: "i32",
  },
  lp_source_supply: {
    parameters: [
      "u32",
      /* engine */ "u32",
      /* source */ "buffer",
      /* double *out */ "u32", /* count */
    ],
    result: "i32",
  },
  lp_source_resident: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "f64", /* start_frame */
      "f64", /* max_frames */
    ],
    result: "f64",
  },
  lp_source_columns: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "buffer", /* const double *first */
      "buffer", /* const double *end */
      "u32", /* from_column */
      "u32", /* to_column */
      "f64", /* from_frame */
      "f64", /* to_frame */
      "f64", /* source_frame */
      "f64", /* step */
      "buffer", /* uint8_t *out */
    ],
    result: "i32",
  },
  lp_source_stale: { parameters: ["u32", /* engine */ "u32" /* source */], result: "i32" },
  lp_source_page_hash: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "f64", /* page */
      "buffer", /* uint8_t *out */
      "u32", /* out_bytes */
    ],
    result: "i32",
  },
  lp_store_drop: { parameters: ["u32" /* engine */], result: "i32" },
  lp_store_counters: {
    parameters: ["u32", /* engine */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },

  // ---- what took how long
  lp_histogram_bounds: {
    parameters: ["buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },
  lp_store_histogram: {
    parameters: [
      "u32", /* engine */
      "u32", /* which */
      "buffer", /* double *out */
      "u32", /* count */
    ],
    result: "i32",
  },
  lp_renderer_histogram: {
    parameters: [
      "u32", /* renderer */
      "u32", /* which */
      "buffer", /* double *out */
      "u32", /* count */
    ],
    result: "i32",
  },
  lp_overruns_since: {
    parameters: [
      "u32", /* renderer */
      "f64", /* since */
      "buffer", /* double *out */
      "u32", /* count */
    ],
    result: "i32",
  },
  lp_source_stats: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "buffer", /* double *out */
      "u32", /* count */
    ],
    result: "i32",
  },
  lp_volume_stats: {
    parameters: ["u32", /* engine */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },
  lp_fills_since: {
    parameters: [
      "u32", /* engine */
      "f64", /* since */
      "buffer", /* double *out */
      "u32", /* count */
    ],
    result: "i32",
  },
  lp_page_state: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "f64", /* frame */
      "buffer", /* double *out */
      "u32", /* count */
    ],
    result: "i32",
  },

  // ---- windows
  lp_window_request: {
    parameters: [
      "u32", /* engine */
      "u32", /* source */
      "f64", /* start_frame */
      "f64", /* end_frame */
      "u32", /* flags */
      "f64", /* rate */
    ],
    result: "i32",
  },
  lp_window_state: {
    parameters: ["u32", /* window */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },
  lp_window_release: { parameters: ["u32" /* window */], result: "i32" },
  lp_window_budget: {
    parameters: ["u32", /* engine */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },

  // ---- anticipation
  lp_anticipate_set: {
    parameters: ["u32", /* engine */ "buffer", /* const double *records */ "u32" /* count */],
    result: "i32",
  },
  lp_anticipate_read: {
    parameters: ["u32", /* engine */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },

  // ---- single step and gates (tests)
  lp_step_follow: { parameters: ["u32" /* engine */], result: "i32" },
  lp_step_fill: { parameters: ["u32" /* engine */], result: "i32" },
  lp_gate_set: { parameters: ["u32", /* engine */ "u32" /* closed */], result: "i32" },
  lp_gate_release: { parameters: ["u32", /* engine */ "u32" /* reads */], result: "i32" },

  // ---- renderers
  lp_renderer_create: { parameters: ["u32", /* engine */ "u32" /* flags */], result: "i32" },
  lp_renderer_close: { parameters: ["u32" /* renderer */], result: "i32", nonblocking: true },
  lp_publish: {
    parameters: [
      "u32", /* renderer */
      "buffer", /* const uint8_t *packed */
      "u32", /* packed_bytes */
    ],
    result: "i32",
  },
  lp_transport_play: {
    parameters: ["u32", /* renderer */ "f64", /* from_frame */ "f64" /* to_frame */],
    result: "i32",
  },
  lp_transport_pause: { parameters: ["u32" /* renderer */], result: "i32" },
  lp_transport_stop: { parameters: ["u32" /* renderer */], result: "i32" },
  lp_transport_seek: {
    parameters: ["u32", /* renderer */ "f64" /* position_frame */],
    result: "i32",
  },
  lp_transport_loop: {
    parameters: [
      "u32", /* renderer */
      "u32", /* enabled */
      "f64", /* start_frame */
      "f64", /* end_frame */
    ],
    result: "i32",
  },
  lp_position: {
    parameters: ["u32", /* renderer */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },
  lp_events: {
    parameters: ["u32", /* renderer */ "buffer", /* uint8_t *out */ "u32" /* out_bytes */],
    result: "i32",
  },
  lp_meters: {
    parameters: ["u32", /* renderer */ "buffer", /* uint8_t *out */ "u32" /* out_bytes */],
    result: "i32",
  },
  lp_counters: {
    parameters: ["u32", /* renderer */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },
  lp_track_counters: {
    parameters: [
      "u32", /* renderer */
      "u32", /* slot */
      "buffer", /* double *out */
      "u32", /* count */
    ],
    result: "i32",
  },
  lp_render: {
    parameters: ["u32", /* renderer */ "buffer", /* float *out */ "u32" /* frames */],
    result: "i32",
  },
  lp_render_wait: {
    parameters: [
      "u32", /* renderer */
      "buffer", /* float *out */
      "u32", /* frames */
      "f64", /* timeout_ms */
    ],
    result: "i32",
    nonblocking: true,
  },
  lp_side_attach: { parameters: ["u32", /* host */ "u32" /* side */], result: "i32" },
  lp_tap_start: {
    parameters: ["u32", /* renderer */ "buffer", /* float *buffer */ "f64" /* frames */],
    result: "i32",
  },
  lp_tap_stop: {
    parameters: ["u32", /* renderer */ "buffer" /* double *out */],
    result: "i32",
    nonblocking: true,
  },

  // ---- devices
  lp_device_list: {
    parameters: [
      "u32", /* renderer */
      "u32", /* backend */
      "buffer", /* uint8_t *out */
      "u32", /* out_bytes */
    ],
    result: "i32",
    nonblocking: true,
  },
  lp_device_open: {
    parameters: ["u32", /* renderer */ "buffer", /* uint8_t *config */ "u32" /* config_bytes */],
    result: "i32",
    nonblocking: true,
  },
  lp_device_close: { parameters: ["u32" /* renderer */], result: "i32", nonblocking: true },
  lp_device_measure: { parameters: ["u32" /* renderer */], result: "i32", nonblocking: true },
  lp_device_status: {
    parameters: ["u32", /* renderer */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },

  lp_device_tap_start: {
    parameters: ["u32", /* renderer */ "buffer", /* float *buffer */ "f64" /* frames */],
    result: "i32",
  },
  lp_device_tap_stop: {
    parameters: ["u32", /* renderer */ "buffer" /* double *out */],
    result: "i32",
    nonblocking: true,
  },

  // ---- analysis
  lp_scan_open: {
    parameters: [
      "buffer", /* const uint8_t *path */
      "u32", /* path_bytes */
      "buffer", /* uint8_t *info */
      "u32", /* info_bytes */
    ],
    result: "i32",
    nonblocking: true,
  },
  lp_scan_peaks: {
    parameters: [
      "u32", /* scan */
      "f64", /* start_frame */
      "u32", /* frames_per_bucket */
      "u32", /* buckets */
      "buffer", /* float *out */
      "u32", /* out_floats */
      "buffer", /* double *invalid */
    ],
    result: "i32",
    nonblocking: true,
  },
  lp_scan_read: {
    parameters: [
      "u32", /* scan */
      "f64", /* start_frame */
      "u32", /* frames */
      "buffer", /* float *out */
      "u32", /* out_floats */
    ],
    result: "i32",
    nonblocking: true,
  },
  lp_scan_close: { parameters: ["u32" /* scan */], result: "i32", nonblocking: true },
  lp_scan_index_step: {
    parameters: ["u32", /* scan */ "f64" /* budget_ms */],
    result: "i32",
    nonblocking: true,
  },
  lp_scan_index_take: {
    parameters: ["u32", /* scan */ "buffer", /* uint8_t *out */ "u32" /* out_bytes */],
    result: "i32",
    nonblocking: true,
  },
  lp_index_give: {
    parameters: ["buffer", /* const uint8_t *bytes */ "u32" /* bytes_count */],
    result: "i32",
  },
  lp_thread_lower: { parameters: [], result: "i32" },
  lp_damage_since: {
    parameters: ["f64", /* since */ "buffer", /* double *out */ "u32" /* count */],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The scan functions, called so that they block: for a worker that has nothing else to do meanwhile. */
export const SCAN_SYMBOLS = {
  lp_abi_version: SYMBOLS.lp_abi_version,
  lp_scan_open: { ...SYMBOLS.lp_scan_open, nonblocking: false },
  lp_scan_peaks: { ...SYMBOLS.lp_scan_peaks, nonblocking: false },
  lp_scan_read: { ...SYMBOLS.lp_scan_read, nonblocking: false },
  lp_scan_close: { ...SYMBOLS.lp_scan_close, nonblocking: false },
  lp_scan_index_step: { ...SYMBOLS.lp_scan_index_step, nonblocking: false },
  lp_scan_index_take: { ...SYMBOLS.lp_scan_index_take, nonblocking: false },
  lp_index_give: SYMBOLS.lp_index_give,
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions that the worker that stretches calls, the same way. */
export const STRETCH_SYMBOLS = {
  ...SCAN_SYMBOLS,
  lp_thread_lower: SYMBOLS.lp_thread_lower,
} as const satisfies Deno.ForeignLibraryInterface;
