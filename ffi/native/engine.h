/* Loophole engine: the native library's public surface.
 *
 * Manual
 * ------
 * Everything is a handle (u32, never 0), a number (frames are f64 holding integers, exact to 2^53) or a
 * buffer that the caller owns and that native code reads or fills within the call. There are no callbacks, no
 * C strings (paths are UTF-8 bytes with a length) and no pointers in results. A buffer that outlives its call
 * is named so (lp_tap_start): its owner must keep it alive until the matching call ends that use.
 *
 * Every function returns an i32: >= 0 is success (a handle or a count where the prose says so, else 0), < 0 is
 * one of lp_result. The words for people are written by the caller.
 *
 * Threads. Each function's comment opens with the thread that may call it:
 *   [control]  the one thread that owns the engine (JavaScript's main thread). Returns at once.
 *   [blocking] any thread, may wait for a disk or a device: call it as a non-blocking FFI call.
 *   [any]      any thread, returns at once, takes no lock.
 * Calls on one handle from several threads at a time are allowed only where the prose says so. No call may be
 * pending when lp_engine_close is called, and none may follow it.
 *
 * Units. *_frame, *_frames: frames at the engine's sample rate. *_ms: milliseconds of the engine's monotonic
 * clock. *_bytes: bytes. Gains are linear.
 *
 * One engine holds one page store and its threads (fill pool, follower), any number of sources and renderers.
 * A renderer holds the published snapshot, the heads and the counters; it is driven by a device (lp_device_open),
 * by a caller that pulls blocks (lp_render: the manual device) or offline (lp_render_wait: mixdown). All three
 * run the same render function and give the same bits.
 */
#ifndef LP_ENGINE_H
#define LP_ENGINE_H

#include <stdint.h>

#if defined(_WIN32)
#define LP_API __declspec(dllexport)
#else
#define LP_API __attribute__((visibility("default")))
#endif

/* Raised whenever a signature or a packed layout below changes. */
#define LP_ABI_VERSION 6

enum lp_result {
  LP_OK = 0,
  LP_E_ARGUMENT = -1,    /* a value is out of range; nothing was changed */
  LP_E_MEMORY = -2,      /* no memory for it */
  LP_E_HANDLE = -3,      /* no such handle, or closed */
  LP_E_IO = -4,          /* the system refused a read; errno is in the out buffer where there is one */
  LP_E_ABSENT = -5,      /* no file at this path */
  LP_E_UNSUPPORTED = -6, /* a file of a kind that is not read (lp_why tells more) */
  LP_E_UNREADABLE = -7,  /* a file that claims a known kind but is damaged (lp_why tells more) */
  LP_E_STATE = -8,       /* not possible now: no device open, already running … */
  LP_E_DEVICE = -9,      /* the audio system refused */
  LP_E_LIMIT = -10,      /* a documented limit would be exceeded */
  LP_E_TIMEOUT = -11,    /* the time given has passed */
  LP_E_CLOSING = -12     /* the engine is closing */
};

/* Why a file cannot be read: finer than lp_result, for messages. */
enum lp_why {
  LP_WHY_NONE = 0,
  LP_WHY_NOT_A_FILE = 1,       /* a directory, a device, a socket */
  LP_WHY_EMPTY = 2,            /* no bytes */
  LP_WHY_UNKNOWN_CONTAINER = 3,/* the first bytes are of no kind we read */
  LP_WHY_ENCODING = 4,         /* a sample encoding that is not read (A-law, ADPCM …): value = format tag */
  LP_WHY_RATE = 5,             /* sample rate 0 or beyond 1 … 768000: value = rate */
  LP_WHY_CHANNELS = 6,         /* channels 0 or more than 8: value = channels */
  LP_WHY_BITS = 7,             /* bits a sample that do not fit the encoding: value = bits */
  LP_WHY_BLOCK = 8,            /* block size that does not fit channels × bytes: value = block align */
  LP_WHY_NO_FORMAT = 9,        /* no format chunk before the data */
  LP_WHY_NO_DATA = 10,         /* no data chunk, or none with a whole frame */
  LP_WHY_TRUNCATED_HEADER = 11,/* the file ends inside its header */
  LP_WHY_PERMISSION = 12,      /* the system denies reading it */
  LP_WHY_MPEG_LAYER = 13,      /* MPEG audio of layer I or II: value = layer */
  LP_WHY_FREE_FORMAT = 14,     /* MP3 frames without a bit rate */
  LP_WHY_OGG_CODEC = 15,       /* an Ogg file without a stream of a kind we read: value = lp_ogg_codec */
  LP_WHY_FOREIGN = 16          /* a container that we know but do not read: value = lp_foreign */
};

enum lp_ogg_codec { LP_OGG_OTHER = 0, LP_OGG_VORBIS = 1, LP_OGG_OPUS = 2, LP_OGG_SPEEX = 3, LP_OGG_VIDEO = 4 };
enum lp_foreign {
  LP_FOREIGN_MP4 = 1,      /* MP4, M4A, MOV, 3GP */
  LP_FOREIGN_MATROSKA = 2, /* and WebM */
  LP_FOREIGN_ASF = 3,      /* WMA */
  LP_FOREIGN_ADTS = 4,     /* AAC */
  LP_FOREIGN_CAF = 5,
  LP_FOREIGN_WAVPACK = 6,
  LP_FOREIGN_MONKEY = 7,
  LP_FOREIGN_MUSEPACK = 8,
  LP_FOREIGN_DSD = 9,
  LP_FOREIGN_AU = 10,
  LP_FOREIGN_MIDI = 11,
  LP_FOREIGN_AMR = 12,
  LP_FOREIGN_AVI = 13
};

/* Sample encodings and containers, as lp_source_info reports them. */
enum lp_encoding { LP_ENC_U8 = 1, LP_ENC_S8 = 2, LP_ENC_S16 = 3, LP_ENC_S24 = 4, LP_ENC_S32 = 5, LP_ENC_F32 = 6, LP_ENC_F64 = 7 };
enum lp_container {
  LP_CON_WAV = 1,
  LP_CON_RF64 = 2,
  LP_CON_W64 = 3,
  LP_CON_AIFF = 4,
  LP_CON_AIFC = 5,
  LP_CON_FLAC = 6,
  LP_CON_OGG_FLAC = 7,
  LP_CON_MP3 = 8
};

/* 128 bytes, little-endian. f64 fields hold integers. */
typedef struct lp_source_info {
  double frames;          /* 0: whole frames in the file, clamped to what the file really holds */
  double data_offset;     /* 8: bytes before the first frame */
  double file_bytes;      /* 16 */
  double device;          /* 24: st_dev */
  double inode;           /* 32 */
  double mtime_ns_hi;     /* 40: seconds */
  double mtime_ns_lo;     /* 48: nanoseconds */
  double ctime_ns_hi;     /* 56 */
  double ctime_ns_lo;     /* 64 */
  uint32_t sample_rate;   /* 72 */
  uint32_t channels;      /* 76 */
  uint32_t bits;          /* 80: valid bits a sample */
  uint32_t encoding;      /* 84: lp_encoding */
  uint32_t container;     /* 88: lp_container */
  uint32_t channel_mask;  /* 92: WAVE speaker mask, 0 if unknown */
  uint32_t length_lied;   /* 96: 1 if the header's length differed from the file's */
  uint32_t why;           /* 100: lp_why, set on failure */
  double why_value;       /* 104: the offending value, or errno with LP_E_IO */
  uint32_t page_frames;   /* 112: frames a page of this source holds */
  uint32_t reserved;
  double engine_frames;   /* 120: of the source, at the engine's rate: ceil(frames × engine's rate / sample_rate) */
} lp_source_info;

/* [any] LP_ABI_VERSION of the loaded library. */
LP_API int32_t lp_abi_version(void);

/* ---- engine ------------------------------------------------------------------------------------------ */

enum lp_engine_flags {
  LP_ENGINE_MANUAL_CLOCK = 1, /* time moves only by lp_clock_set and by frames that lp_render renders */
  LP_ENGINE_SINGLE_STEP = 2   /* no threads: lp_step_follow and lp_step_fill do their work */
};

/* [control] Opens an engine. sample_rate 8000 … 384000; slab_bytes ≥ 65536, mapped once, never exceeded;
 * fill_threads 1 … 64 (ignored with SINGLE_STEP). Returns its handle. */
LP_API int32_t lp_engine_create(uint32_t sample_rate, double slab_bytes, uint32_t fill_threads, uint32_t flags);

/* [blocking] Closes everything of the engine: devices, renderers, threads, sources. Returns the number of threads that
 * hang in a read and had to be left behind (then the library must stay loaded), else 0. */
LP_API int32_t lp_engine_close(uint32_t engine);

/* [any] The engine's monotonic clock in milliseconds. The same clock for all engines unless MANUAL_CLOCK. */
LP_API double lp_now_ms(uint32_t engine);

/* [control] With MANUAL_CLOCK: sets the clock. Never backwards. */
LP_API int32_t lp_clock_set(uint32_t engine, double now_ms);

/* ---- sources ----------------------------------------------------------------------------------------- */

/* [blocking] Opens the file at path (UTF-8, not terminated), reads its header and makes a source of it. May be called
 * from several threads. info: sizeof(lp_source_info), always filled. Returns the source's handle; 65,535 can be open at a time. The source's frames are
 * at the engine's rate: a file at another rate is converted as its pages are filled (resample.h), from 8,000 … 384,000 Hz; beyond that
 * LP_E_UNSUPPORTED with why LP_WHY_RATE. */
LP_API int32_t lp_source_open(uint32_t engine, const uint8_t *path, uint32_t path_bytes, uint8_t *info, uint32_t info_bytes);

/* [control] How the source's channels sound in the two of the mix: coefficients[c * 2 + side], channels × 2 floats.
 * Default: mono to both sides at unity, stereo as it is, others folded by ITU-R BS.775. Before its first use only. */
LP_API int32_t lp_source_set_fold(uint32_t engine, uint32_t source, const float *coefficients, uint32_t count);

/* [control] Makes `proxy` (0: none) stand in for the source's frames: a file of lower rate, fewer channels or bits that stands for the same frames at the
 * engine's rate. Where a voice has no page of the source it sounds from its proxy's, over a crossfade of one fade length, with the proxy's own fold; offline
 * renderers never do. The source keeps a reference: the proxy's handle may be closed. Taken away from a voice that sounds from it, it fades out. LP_E_ARGUMENT: the source itself, or a length that differs by more than 10 ms; LP_E_STATE: one of the two
 * is in such a pair already the other way round, since a proxy has none of its own. */
LP_API int32_t lp_source_set_proxy(uint32_t engine, uint32_t source, uint32_t proxy);

/* [control] Forgets the source. Its pages go when no snapshot names it any more. */
LP_API int32_t lp_source_close(uint32_t engine, uint32_t source);

/* [control] Asks for [start_frame, end_frame) of the source to become resident, at anticipative priority. Pages beyond the budget
 * are not fetched. */
LP_API int32_t lp_source_prefetch(uint32_t engine, uint32_t source, double start_frame, double end_frame);

/* [any] How a source keeps up with what plays it (f64 each): 0 how far it is read ahead in ms, as the budget allows (10,000 … 30,000), 1 how far ahead of its need the
 * first page was that was wanted and not there, in ms, as of the last look; -1: all is there, 2 whether it is heard from its proxy since its own pages
 * come too slowly (0/1). Returns how many were written. */
LP_API int32_t lp_source_supply(uint32_t engine, uint32_t source, double *out, uint32_t count);

/* [any] Frames resident without a gap from start_frame on, at most max_frames; as f64, negative lp_result on error. */
LP_API double lp_source_resident(uint32_t engine, uint32_t source, double start_frame, double max_frames);

enum lp_readiness { LP_READY = 0, LP_NOT_READ = 1, LP_UNREADABLE = 2 };

/* [control] Whether what columns of a drawing show of the source is resident: raises each out[c] in [from_column, to_column) to LP_NOT_READ
 * where a frame is not there, to LP_UNREADABLE where the last try to read such a one failed. Column c has the frames [first[c], end[c]), of which
 * those in [from_frame, to_frame) count. from_frame plays the source at source_frame, each further one by `step` (1/16 … 16, below 0 backwards) beyond it, both in
 * multiples of 2^-24 frames. What lies outside the source is silence, and there. first, end and out have to_column entries. Costs a look at each page that is
 * there: keep to 2^24 frames of the source a call. */
LP_API int32_t lp_source_columns(uint32_t engine, uint32_t source, const double *first, const double *end, uint32_t from_column, uint32_t to_column,
                                 double from_frame, double to_frame, double source_frame, double step, uint8_t *out);

/* [any] 1 if the file was last found in another state than that in which it was opened (lp_identity in pcm_file.h), so that no more is read of it until it is opened
 * anew; else 0. It is looked at with each read. */
LP_API int32_t lp_source_stale(uint32_t engine, uint32_t source);

/* [control] 64-bit hash (FNV-1a) of a fully resident page's samples, written to out as 8 bytes. LP_E_STATE if it is not
 * resident. */
LP_API int32_t lp_source_page_hash(uint32_t engine, uint32_t source, double page, uint8_t *out, uint32_t out_bytes);

/* [control] Test: drops every unpinned page of the store. Returns how many went. */
LP_API int32_t lp_store_drop(uint32_t engine);

/* [any] Counters of the store into out (f64 each): 0 units, 1 units free, 2 pages resident, 3 page fills, 4 evictions, 5 bytes read,
 * 6 reads, 7 read ns, 8 convert ns, 9 queue length, 10 queue dropped, 11 open files, 12 read errors, 13 horizon held in ms (the least of
 * all playing heads), 14 voices refused, 15 stalled reads, 16 ns of the read ns that went into reading and decoding compressed files, 17 runs of
 * frames that could not be decoded and are silence, each counted once, 18 threads of the fill pool (more than asked for while some hang), 19 pages asked for that were there (each pass asks anew), 20 pages
 * that had to be queued, 21 longest read-ahead of a source in ms, 22 sources that are heard from their proxies since their own pages come too slowly, 23 frames
 * that were filled into pages, each as often as it was. Returns how many were written. */
LP_API int32_t lp_store_counters(uint32_t engine, double *out, uint32_t count);

/* ---- what took how long -------------------------------------------------------------------------------- */

/* A histogram: values in ns, or shares in ppb; in bucket i lies what is greater than bound i - 1 and at most bound i, in the last what is greater than all. */
#define LP_HISTOGRAM_BOUNDS 43
/* [any] The bounds, ascending. Returns how many were written. */
LP_API int32_t lp_histogram_bounds(double *out, uint32_t count);

enum lp_store_histogram_kind {
  LP_STORE_QUEUE_REALTIME = 0,     /* engine's clock: a page's wait in the queue until a thread began to read it */
  LP_STORE_QUEUE_ANTICIPATIVE = 1,
  LP_STORE_READ = 2,               /* a block (one read of one or more adjacent pages) waited for the disk */
  LP_STORE_DECODE = 3,             /* the rest of its time: decoding, resampling, converting */
  LP_STORE_HISTOGRAMS = 4
};
/* [any] sum, max, then the buckets (LP_HISTOGRAM_BOUNDS + 1) as f64. Returns how many were written. */
LP_API int32_t lp_store_histogram(uint32_t engine, uint32_t which, double *out, uint32_t count);

enum lp_render_histogram_kind {
  LP_RENDER_CALLBACK = 0, /* time of a callback */
  LP_RENDER_SHARE = 1,    /* the same as a share of its period */
  LP_RENDER_GATE = 2,     /* engine's clock: from a publication's making until it was admitted */
  LP_RENDER_HISTOGRAMS = 3
};
/* [any] As lp_store_histogram. */
LP_API int32_t lp_renderer_histogram(uint32_t renderer, uint32_t which, double *out, uint32_t count);

/* [any] Callbacks longer than their period after number `since` (0: all that is remembered, 64), the oldest first: records of 4 f64: number, when it
 * began in ms, ms that it took, ms of its period. Offline renderers have none. Returns how many records were written. */
LP_API int32_t lp_overruns_since(uint32_t renderer, double since, double *out, uint32_t count);

#define LP_SOURCE_STATS 9
/* [any] What fetching took, of one source, or (0) of each open one of which something was read: records of LP_SOURCE_STATS f64: 0 source, 1 blocks read, 2 bytes of the
 * file, 3 ms of waiting for the disk, 4 ms of decoding, resampling and converting, 5 frames of a compressed file, 6 pages filled, 7 errors, 8 stalls.
 * Returns how many sources there are; as many as fit are written. */
LP_API int32_t lp_source_stats(uint32_t engine, uint32_t source, double *out, uint32_t count);
#define LP_VOLUME_STATS 15
/* [any] The same of each volume: 0 id (st_dev), 1 open sources on it, 2 threads there, 3 of them hanging, 4 … 11 as 1 … 8 of a source, 12 ms in which at
 * least one thread was reading pages there, 13 mean ms of waiting of a block (the latest weigh most), 14 the longest. Returns how many were written. */
LP_API int32_t lp_volume_stats(uint32_t engine, double *out, uint32_t count);

enum lp_fill_outcome { LP_FILL_FILLED = 0, LP_FILL_FAILED = 1, LP_FILL_STALLED = 2 /* it hangs; what becomes of the page is told anew */ };
#define LP_FILL_FIELDS 15
/* [any] What became of pages that were late or nearly so, or could not be read, after number `since` (0: all that is remembered, 2,048), the oldest first:
 * records of LP_FILL_FIELDS f64: 0 number, 1 source, 2 page, 3 first frame of the source, 4 frames, 5 asked for (ms), 6 queued last, 7 begun, 8 ended, 9
 * due (NaN: never), 10 ms of waiting for the disk (of all that it was read with), 11 ms of decoding, 12 lp_fill_outcome, 13 errno of a failure, 14 volume. */
LP_API int32_t lp_fills_since(uint32_t engine, double since, double *out, uint32_t count);

enum lp_page_wait { LP_PAGE_UNASKED = 0, LP_PAGE_WAITING = 1, LP_PAGE_READING = 2, LP_PAGE_STALLED = 3 };
#define LP_PAGE_STATE 8
/* [any] How the page is that holds a frame of the source: 0 what of it is resident (0 nothing, 1 a part, 2 all), 1 lp_page_wait, 2 asked for (ms), 3 queued last, 4 begun, 5 due (2 … 5
 * NaN where it is not so), 6 volume, 7 its number. */
LP_API int32_t lp_page_state(uint32_t engine, uint32_t source, double frame, double *out, uint32_t count);

/* ---- windows ------------------------------------------------------------------------------------------ */

enum lp_window_flags {
  LP_WINDOW_ANTICIPATIVE = 1, /* after all that is about to be heard */
  LP_WINDOW_LOOPING = 2       /* its end joins its begin: the first half second is as urgent as what is about to be heard */
};

/* [control] Keeps source frames [start_frame, end_frame) resident until it is released: asks for their pages in the order in which they are played, and pins
 * them as they come. rate: at which it will be played, -64 … 64 but not 0. Returns a handle. LP_E_LIMIT: windows would hold more than eight tenths of the
 * pages (lp_window_budget); LP_E_STATE: 1,024 are open. */
LP_API int32_t lp_window_request(uint32_t engine, uint32_t source, double start_frame, double end_frame, uint32_t flags, double rate);
/* [control] Pins what has come and asks again for what has not: call it ten times a second until it returns 1, all is held. out: pages, pages held. */
LP_API int32_t lp_window_state(uint32_t window, double *out, uint32_t count);
/* [control] */
LP_API int32_t lp_window_release(uint32_t window);
/* [any] Bytes of pages that windows want, a page that several want once; bytes that they may. */
LP_API int32_t lp_window_budget(uint32_t engine, double *out, uint32_t count);

/* ---- anticipation ------------------------------------------------------------------------------------- */

#define LP_MOST_STRETCHES 65536u
/* [control] Replaces the engine's plan of what may be wanted soon: `count` records of 4 f64 in the order of their ranks, 0 source handle, 1 start frame, 2 end
 * frame, 3 rank: milliseconds from now until it may be wanted at the earliest, 0 … 10^12. The follower makes it resident, lowest rank first, as far as the budget reaches
 * (all pages save those of windows, what heads want beside the plan, and a thirty-second part), and keeps it so: nothing of it evicts what ranks
 * before it, and what any head needs goes before all of it. Records of sources that are not open are left out. Returns the plan's number, from 1 on.
 * LP_E_ARGUMENT: a value out of range or out of order; LP_E_LIMIT: more than LP_MOST_STRETCHES. In either case the plan before stays. */
LP_API int32_t lp_anticipate_set(uint32_t engine, const double *records, uint32_t count);
/* [any] How far it is (f64 each): 0 pages of the plan that the budget allows, as far as gone through, 1 resident ones of them as of the last look, 2 units that it may
 * have, 3 pages of it in all, at most what the slab could hold, 4 number of the plan taken last, 5 whether there is nothing left to do (0/1). Returns
 * how many were written. */
LP_API int32_t lp_anticipate_read(uint32_t engine, double *out, uint32_t count);

/* ---- single step and gates (tests) -------------------------------------------------------------------- */

/* [control] SINGLE_STEP: runs one pass of the follower. */
LP_API int32_t lp_step_follow(uint32_t engine);
/* [control] SINGLE_STEP: runs one step (at most 2 ms of work) of the fill pool. Returns 1 if there was work, else 0. */
LP_API int32_t lp_step_fill(uint32_t engine);
/* [any] Closes (1) or opens (0) the gate before every read. */
LP_API int32_t lp_gate_set(uint32_t engine, uint32_t closed);
/* [any] Lets `reads` more reads through the closed gate. */
LP_API int32_t lp_gate_release(uint32_t engine, uint32_t reads);

/* ---- renderers --------------------------------------------------------------------------------------- */

enum lp_renderer_flags { LP_RENDERER_OFFLINE = 1 /* anticipative priority; parameters are never ramped */ };

/* [control] A renderer on the engine: two channels out. Returns its handle. */
LP_API int32_t lp_renderer_create(uint32_t engine, uint32_t flags);
/* [blocking] Closes its device, waits for the render thread to be out (lp_render_wait gives up), frees it. No other call of it may begin. */
LP_API int32_t lp_renderer_close(uint32_t renderer);

/* [control] Publishes a packed edit (layout in snapshot.h, written by engine/signal/pack.ts): new blocks and tracks as splices of
 * the last published ones, the playhead map, the loop. Latest wins; the admission gate decides when it is heard.
 * LP_E_ARGUMENT if the packing is malformed, LP_E_LIMIT beyond 2,048 tracks or 2^20 block places a track: then nothing changed. */
LP_API int32_t lp_publish(uint32_t renderer, const uint8_t *packed, uint32_t packed_bytes);

/* [control] Transport. A from_frame or to_frame of NaN means: where it stands / no end. All take effect in the order called, also
 * relative to lp_publish. Stop returns to where play began. */
LP_API int32_t lp_transport_play(uint32_t renderer, double from_frame, double to_frame);
LP_API int32_t lp_transport_pause(uint32_t renderer);
LP_API int32_t lp_transport_stop(uint32_t renderer);
LP_API int32_t lp_transport_seek(uint32_t renderer, double position_frame);
LP_API int32_t lp_transport_loop(uint32_t renderer, uint32_t enabled, double start_frame, double end_frame);

/* [any] The renderer's position record into out, 16 f64: 0 position_frame (where rendering stands), 1 time_ms (when it stood
 * there), 2 audible_frame (what leaves the device at time_ms), 3 state (0 stopped, 1 paused, 2 playing), 4 revision that sounds,
 * 5 loop enabled, 6 loop start, 7 loop end, 8 device latency in frames, 9 frames rendered in all, 10 publication acknowledged,
 * 11 publication last made, 12 origin of play, 13 fade frames left, 14 rate (1 or 0), 15 gate waiting (0/1). */
LP_API int32_t lp_position(uint32_t renderer, double *out, uint32_t count);

/* [control] Drains events (64 bytes each, struct lp_event) into out. Returns how many. */
LP_API int32_t lp_events(uint32_t renderer, uint8_t *out, uint32_t out_bytes);

enum lp_event_kind {
  LP_EV_SWAP = 1,        /* a publication was taken: a = position before, b = position after, value = revision */
  LP_EV_WRAP = 2,        /* loop wrap: a = loop end, b = loop start */
  LP_EV_END = 3,         /* to_frame was reached: a = position, value = the state since then */
  LP_EV_GAP_BEGIN = 4,   /* frames began to miss: track = slot, clip, source, filled_by, a = position, cause, source_frame = the first of them,
                          * value = frames of the source from each frame to the next, below 0 backwards */
  LP_EV_GAP_END = 5,     /* they are there again, or the voice is over, or something else fills the gap: the same, source_frame and value too, b = frames of the gap */
  LP_EV_LOOP_OFF = 6,    /* an edit left the loop shorter than a frame */
  LP_EV_STATE = 7,       /* not sent: LP_EV_END says how the renderer changes its state by itself */
  LP_EV_LOST = 8         /* the ring was full: value = events lost before the next one */
};
enum lp_cause { LP_CAUSE_QUEUE = 0, LP_CAUSE_READ = 1, LP_CAUSE_DECODE = 2, LP_CAUSE_STALLED = 3, LP_CAUSE_ABSENT = 4, LP_CAUSE_BUDGET = 5, LP_CAUSES = 6 };

enum lp_filling { LP_FILLED_BY_SILENCE = 0, LP_FILLED_BY_PROXY = 1 };

typedef struct lp_event {
  uint32_t kind;     /* 0 */
  uint32_t cause;    /* 4 */
  uint32_t track;    /* 8: slot */
  uint32_t clip;     /* 12: uid */
  uint32_t source;   /* 16: handle */
  uint32_t filled_by; /* 20: of a gap: lp_filling */
  double a;          /* 24 */
  double b;          /* 32 */
  double time_ms;    /* 40 */
  double value;      /* 48 */
  double source_frame; /* 56: at the engine's rate */
} lp_event;

/* [control] Takes the meters gathered since the last take: out = f64 audible_frame, f64 time_ms, f64 revision, f64 frames gathered, then
 * master and slots 0 … slots-1 with 4 f32 each: peak L, peak R, rms L, rms R. Returns slots written, or LP_E_STATE when
 * no block was rendered since. */
LP_API int32_t lp_meters(uint32_t renderer, uint8_t *out, uint32_t out_bytes);

/* [any] Counters of the renderer (f64 each): 0 callbacks, 1 frames, 2 missing total, 3 faded total, 4 … 9 missing by cause, 10 … 15 faded by
 * cause, 16 longest callback ns, 17 callbacks longer than their period, 18 publications taken, 19 displaced, 20 admitted by deadline,
 * 21 crossfades, 22 sum of callback ns, 23 events lost, 24 frames of the old snapshot rendered after the last publish, 25 frames that came from a proxy in
 * whole or in part (neither missing nor faded), 26 … 31 these by cause, 32 voices rendered for a span (at most 512 frames) with all frames there, 33 with
 * frames missing or from a proxy, 34 missing frames of gaps whose end was lost. */
LP_API int32_t lp_counters(uint32_t renderer, double *out, uint32_t count);
/* [any] missing, faded and proxied of one track slot, three f64; then missing by cause, six, and faded by cause, six; or the first of them. */
LP_API int32_t lp_track_counters(uint32_t renderer, uint32_t slot, double *out, uint32_t count);

/* [any] Manual device: renders `frames` frames (interleaved stereo f32) at once. LP_E_STATE while something else drives it: a device, from the
 * begin of its opening to the end of its closing, or another such call. */
LP_API int32_t lp_render(uint32_t renderer, float *out, uint32_t frames);
/* [blocking] Offline: as lp_render, but waits before each block until its pages are resident or cannot be had. LP_E_TIMEOUT after
 * timeout_ms without progress, LP_E_CLOSING when the renderer is being closed, LP_E_STATE as lp_render. Returns frames rendered. */
LP_API int32_t lp_render_wait(uint32_t renderer, float *out, uint32_t frames, double timeout_ms);

/* [control] Makes `side` sound beside `host`, driven by its callback and mixed to its output (not to its meters) until it is closed. Both are of one engine and
 * neither offline; nothing else may drive the side. LP_E_LIMIT beyond 32, LP_E_STATE if something drives it. */
LP_API int32_t lp_side_attach(uint32_t host, uint32_t side);

/* [control] Copies what the renderer puts out into buffer (interleaved stereo f32) until `frames` are there. The buffer must live until
 * lp_tap_stop returns. */
LP_API int32_t lp_tap_start(uint32_t renderer, float *buffer, double frames);
/* [blocking] Ends it. Returns through out[0] the frames written (f64). */
LP_API int32_t lp_tap_stop(uint32_t renderer, double *out);

/* ---- devices ------------------------------------------------------------------------------------------ */

enum lp_backend { LP_BACKEND_AUTO = 0, LP_BACKEND_PULSEAUDIO = 1, LP_BACKEND_ALSA = 2, LP_BACKEND_JACK = 3, LP_BACKEND_COREAUDIO = 4, LP_BACKEND_WASAPI = 5, LP_BACKEND_NULL = 6 };

/* 320 bytes each. */
typedef struct lp_device_entry {
  uint32_t backend;      /* 0 */
  uint32_t is_default;   /* 4 */
  uint32_t index;        /* 8: in this listing of its backend */
  uint32_t sample_rate;  /* 12: native, 0 unknown */
  uint32_t channels;     /* 16: native, 0 unknown */
  uint32_t id_bytes;     /* 20 */
  uint32_t name_bytes;   /* 24 */
  uint32_t reserved;     /* 28 */
  uint8_t id[160];       /* 32: stable name of the device within its backend, UTF-8 or hex */
  uint8_t name[128];     /* 192: for people, UTF-8 */
} lp_device_entry;

/* [blocking] Lists playback devices of a backend (AUTO: all that answer, null last). The backend of the renderer's open device is asked over the
 * connection that there is. Returns how many there are; fills as many as fit. */
LP_API int32_t lp_device_list(uint32_t renderer, uint32_t backend, uint8_t *out, uint32_t out_bytes);

/* 256 bytes; requested values in, what was opened out. */
typedef struct lp_device_config {
  uint32_t backend;       /* 0: requested, then the real one */
  uint32_t sample_rate;   /* 4: 0 for the engine's where the device can choose (ALSA, null), else its own; out: what it runs at. Where that is not the
                           * engine's, the mix is converted by resample.h */
  uint32_t period_frames; /* 8: of the device's own; 0 for 256 */
  uint32_t periods;       /* 12: of the buffer; 0 for 2. PulseAudio's server parts the whole as it likes */
  uint32_t latency_frames;/* 16: out: engine's frames between render and sound, as the size of the buffer tells; lp_device_measure knows better */
  uint32_t id_bytes;      /* 20: 0 for the system's default */
  uint32_t name_bytes;    /* 24: out */
  uint32_t reserved;      /* 28 */
  uint8_t id[160];        /* 32 */
  uint8_t name[64];       /* 192: out, cut to fit */
} lp_device_config;

/* [blocking] Opens and starts a device on the renderer. config: 256 bytes, in and out. LP_E_STATE if one is open. */
LP_API int32_t lp_device_open(uint32_t renderer, uint8_t *config, uint32_t config_bytes);
/* [blocking] Fades out, stops and closes it. Position is kept. */
LP_API int32_t lp_device_close(uint32_t renderer);
/* [blocking, at most about a second] Asks the audio system how far the sound is behind and whether the stream is still there, and corrects the latency
 * or marks the device as lost. Call it twice a second. Returns how often the latency was told since callbacks have come steadily (0: the system
 * does not tell, or not yet), LP_E_STATE if none is open. */
LP_API int32_t lp_device_measure(uint32_t renderer);

#define LP_DEVICE_STATUS 9
/* [any] State of its device into out (LP_DEVICE_STATUS f64): 0 running, 1 lost (vanished by itself), 2 mean cadence of its callbacks in frames
 * of the device per second, 3 period in frames of the device, 4 latency in frames of the engine, the filter's delay included, 5 rate, 6 frames
 * of the device given to it, 7 when its last callback began in ms of lp_now_ms without MANUAL_CLOCK (0: none yet), 8 delay
 * of the filter in frames of the engine (0: the rates are equal). */
LP_API int32_t lp_device_status(uint32_t renderer, double *out, uint32_t count);

/* [control] As lp_tap_start, for what is handed to the device, at the device's rate; goes on over the opening of another. */
LP_API int32_t lp_device_tap_start(uint32_t renderer, float *buffer, double frames);
/* [blocking] As lp_tap_stop. */
LP_API int32_t lp_device_tap_stop(uint32_t renderer, double *out);

/* ---- analysis ------------------------------------------------------------------------------------------ */

/* Peaks: see peaks.h for the arithmetic. A scan reads one file once, front to back or by ranges, away from the page store. */

/* [blocking] Opens a scan of the file at path; fills info as lp_source_open does (any rate is fine). Returns a scan handle. Scans belong to no
 * engine. */
LP_API int32_t lp_scan_open(const uint8_t *path, uint32_t path_bytes, uint8_t *info, uint32_t info_bytes);
/* [blocking] Reduces frames [start_frame, start_frame + buckets × frames_per_bucket), clamped to the file, to buckets: for each bucket, for each plane
 * (channels, then the mono mix if there is more than one channel): f32 min, f32 max, f32 rms. Returns the buckets written, at least one before the
 * end of the file but perhaps fewer than asked for (the file's last one may be partial). Calls in order let threads of a long compressed file's
 * scan decode ahead. invalid[0]: f64 count of NaN and infinite samples met, added to what stands there. */
LP_API int32_t lp_scan_peaks(uint32_t scan, double start_frame, uint32_t frames_per_bucket, uint32_t buckets, float *out, uint32_t out_floats, double *invalid);
/* [blocking] Reads `frames` frames from start_frame as planar f32 (plane after plane, `frames` apart). Returns frames read. */
LP_API int32_t lp_scan_read(uint32_t scan, double start_frame, uint32_t frames, float *out, uint32_t out_floats);
/* [blocking] */
LP_API int32_t lp_scan_close(uint32_t scan);

/* [blocking] A step of building the seek index of the scan's file, of about budget_ms: 1 if there is more to do, 0 if it is complete or the file needs none. */
LP_API int32_t lp_scan_index_step(uint32_t scan, double budget_ms);
/* [blocking] The complete index as bytes for the cold cache (seek_index.h). Returns how many they are, 0 if there is none; if they are more than out_bytes
 * nothing is written. */
LP_API int32_t lp_scan_index_take(uint32_t scan, uint8_t *out, uint32_t out_bytes);
/* [any] Completes the index of a file that is open as a source or in a scan, by bytes that lp_scan_index_take once gave. LP_E_ABSENT: no file of the
 * state that they are of is open; LP_E_ARGUMENT: they are damaged. */
LP_API int32_t lp_index_give(const uint8_t *bytes, uint32_t bytes_count);

/* [any] Lets the calling thread work below all others of this process from now on. LP_E_STATE: the system refuses, and nothing has changed. */
LP_API int32_t lp_thread_lower(void);

/* [any] What was found broken in compressed files by anybody in this process after news number `since` (0: all that is remembered), the oldest first:
 * records of 11 f64: 0 number of the news, 1 device, 2 inode, 3 bytes, 4 mtime s, 5 mtime ns, 6 ctime s, 7 ctime ns, 8 runs of samples that are
 * silence because they cannot be decoded (256: at least so many), 9 the first of these samples, 10 how many they are. A file's later record
 * replaces its earlier one. Returns how many records were written; as many as fit: ask again after the last one. */
LP_API int32_t lp_damage_since(double since, double *out, uint32_t count);

#endif
