/* The renderer: what the callback owns, what the publisher owns, and what they share.
 *
 * Ownership by thread. [callback] is whoever drives rendering: the device's thread, the caller of lp_render, or the caller of
 * lp_render_wait; never two at once (driver says who). [control] publishes. The follower thread reads what stands under `lock`.
 */
#ifndef LP_RENDERER_H
#define LP_RENDERER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "head.h"
#include "histogram.h"
#include "mix_kernel.h"
#include "nonblocking.h"
#include "overruns.h"
#include "snapshot.h"
#include "speed_kernel.h"
#include "store.h"
#include "tap.h"
#include "track_cursor.h"

#define LP_BLOCK 512           /* frames rendered at a time */
#define LP_LIVE 32             /* clips of one track looked at within a block */
#define LP_EVENTS 1024u        /* power of two */
#define LP_HISTORY 64u         /* discontinuities remembered for audible_frame; power of two */
#define LP_SIDES 32            /* renderers beside one */
#define LP_READING_FRAMES 2048 /* of a source that a voice at another rate takes at a time, besides what its filter reaches */
#define LP_FADE_MS 15.0
#define LP_GATE_RESIDENT_MS 20.0
#define LP_GATE_DEADLINE_MS 30.0

typedef struct lp_engine lp_engine;
typedef struct lp_device lp_device;

/* A snapshot on its way to the callback, with the steps that the head goes through. Immutable once made, to the callback. */
typedef struct lp_publication {
  uint64_t number;
  lp_snapshot *snapshot;
  /* Under the renderer's lock: */
  struct lp_publication *next; /* list of the living, oldest first */
  bool displaced;              /* by a newer one before the callback had it: it never will */
  /* Constant: */
  uint64_t made_ns;
  uint64_t made_at_frames;     /* frames rendered in all when it was made */
  uint32_t step_count;
  lp_step steps[];
} lp_publication;

/* What a track does in a fade. */
enum lp_part {
  LP_PART_OWN = 0,    /* sounds in old and new, each its own way, or in new alone */
  LP_PART_SHARED = 1, /* is the same in both: sounds once */
  LP_PART_GONE = 2    /* sounds in old alone */
};

/* How present a voice is: fades around holes. Keyed by the clip's uid. */
typedef struct lp_voice {
  uint32_t uid;
  float presence; /* 0 … 1 */
  float proxy;    /* 0 … 1: how far the proxy fills what presence leaves; means something only while that is below 1 */
  bool gap;       /* a hole is sounding (an event stands open) */
  uint8_t cause;  /* of the last hole seen */
  uint8_t filled_by; /* lp_filling of the open gap */
  uint32_t gap_source; /* handle */
  int64_t gap_first;   /* frame of the source that it began with */
  int32_t gap_step;    /* of its clip */
  int64_t gap_frames;
} lp_voice;

typedef struct lp_voices {
  lp_voice of[LP_MAX_TRACKS][2];
} lp_voices;

typedef struct lp_meter_page {
  double audible, time_ms, revision, frames;
  uint32_t slots; /* tracks from there on are as they were made: silent */
  lp_meter master;
  lp_meter tracks[LP_MAX_TRACKS];
} lp_meter_page;

/* A position record that is read without a lock: an even sequence before and after means a whole record. */
typedef struct lp_record {
  _Atomic uint32_t sequence;
  _Atomic uint64_t fields[16]; /* bit patterns of f64 */
} lp_record;

typedef struct lp_history {
  uint64_t at_frames; /* frames rendered in all when it began */
  int64_t position;
  bool moving;
} lp_history;

/* What a pass of the follower looks at. */
typedef struct lp_followed {
  uint32_t count;
  lp_snapshot *snapshots[2]; /* referenced; the newest, and what sounds if that is another */
  lp_head heads[2];
  int64_t begun_ns[2]; /* when they would have stood at frame 0, kept from pass to pass while it wavers little */
  uint64_t due_ns[2];  /* when they stand where they do, by that */
  lp_snapshot *fading; /* referenced; what fades out, NULL: nothing does */
  int64_t fading_at, fading_frames;
  uint64_t number; /* of the newest publication, over passes */
  bool moved;      /* it is another one than in the pass before */
} lp_followed;

/* What a track plays at [from, to) of the timeline, while its content is this one: one clip, as it lies in its source (steady.h). */
typedef struct lp_steady {
  const lp_content *content; /* NULL: it is not known */
  int64_t from, to;
  int64_t end;    /* of the clip */
  int64_t offset; /* from the timeline to the source */
  int64_t page;   /* whose place in the directory is known, -1 none */
  const lp_entry *entry;
  int64_t frames; /* of the source; this and what follows so that it need not be looked at */
  const lp_source *source;
  float gain;
  uint32_t uid;
  uint8_t page_shift, channels;
  bool s16;
} lp_steady;

/* A ramped gain: on its way to its target by equal steps. */
typedef struct lp_ramp {
  float current, target, from;
  int32_t left; /* frames to go */
} lp_ramp;

typedef struct lp_counts {
  _Atomic uint64_t callbacks, frames, missing[LP_CAUSES], faded[LP_CAUSES], proxied[LP_CAUSES], longest_ns, late, taken, displaced, by_deadline, crossfades, sum_ns,
      events_lost, old_frames;
  /* Voices rendered for a span with all of their frames there, or not; frames of gaps whose end found no room among the events. */
  _Atomic uint64_t hits, misses, gap_frames_lost;
  _Atomic uint64_t track_missing[LP_MAX_TRACKS][LP_CAUSES], track_faded[LP_MAX_TRACKS][LP_CAUSES], track_proxied[LP_MAX_TRACKS];
} lp_counts;

enum lp_driver { LP_DRIVER_NONE = 0, LP_DRIVER_DEVICE = 1, LP_DRIVER_CALLER = 2, LP_DRIVER_SIDE = 3 /* another renderer's callback */ };

typedef struct lp_renderer {
  lp_engine *engine;
  uint32_t handle;
  uint32_t flags;
  int32_t fade_frames;
  double rate;

  /* ---- [callback] ---- */
  lp_epoch epoch;
  const lp_publication *current;  /* what sounds */
  const lp_publication *fading;   /* what sounded before, while a fade runs */
  lp_head head, old_head;
  lp_voices *voices, *old_voices;
  uint32_t gaps; /* that stand open in `voices` */
  int32_t fade_left;
  lp_ramp ramps[LP_MAX_TRACKS][2];
  uint8_t part[LP_MAX_TRACKS]; /* by slot, while a fade runs: lp_part */
  uint16_t places[2][LP_MAX_TRACKS]; /* by slot: index of its track in a snapshot plus 1, 0 none; of `current`, and of the one before */
  uint32_t slots; /* those that a snapshot has used lie below: what is kept by slot is touched no further, and takes no memory beyond */
  uint32_t place;                    /* which of the two is current's */
  const lp_mix_kernel *kernel;
  const lp_speed_kernel *speed;
  lp_steady *steady; /* by slot, of `current` */
  lp_track_cursor *cursors; /* likewise */
  float *mix[2], *old_mix[2], *track[2], *envelope, *presence;
  float *scratch[LP_MAX_CHANNELS], *folded[2]; /* of what is read (reading.h) */
  lp_history history[LP_HISTORY];
  uint64_t history_count;
  uint64_t rendered;
  lp_meter_page *meter_active;
  uint32_t events_unsaid; /* lost since the last one that found room */
  float *side_out;        /* one block of a side, interleaved */

  /* ---- shared, lock-free ---- */
  _Atomic(struct lp_renderer *) sides[LP_SIDES];
  _Atomic(lp_publication *) mailbox;
  _Atomic uint64_t acknowledged; /* number of `current` */
  _Atomic uint64_t oldest_in_use; /* number of `fading`, else of `current` */
  lp_record record;
  lp_event events[LP_EVENTS];
  _Atomic uint32_t event_head, event_tail; /* written by callback, by control */
  _Atomic(lp_meter_page *) meter_ready;    /* full page for control, or NULL */
  _Atomic(lp_meter_page *) meter_spare;    /* empty page for the callback, or NULL */
  lp_counts counts;
  lp_histogram histograms[LP_RENDER_HISTOGRAMS];
  lp_overruns overruns;
  _Atomic uint32_t latency_frames;
  _Atomic uint32_t quiesce; /* 0 runs, 1 fade out and hold, 2 held */
  _Atomic bool closing;     /* who waits inside gives up */
  lp_tap tap;        /* of the mix */
  lp_tap device_tap; /* of what a device gets */

  /* ---- [control, follower] under lock ---- */
  pthread_mutex_t lock;
  uint32_t driver;             /* lp_driver */
  bool busy;                   /* a caller is inside rendering, or a device is being opened or closed: whoever else would is refused */
  lp_publication *oldest, *newest; /* the living */
  lp_block_index blocks;           /* of all snapshots, and those that are kept beside */
  lp_publication *candidate;   /* held by the gate: == newest, or NULL */
  _Atomic uint64_t last_number; /* read by anybody */
  _Atomic bool gate_waits;      /* there is a candidate; read by anybody */
  uint64_t gate_since_ns;      /* when the oldest edit that waits at the gate was made */
  lp_step *pending;            /* steps not known to be executed */
  uint32_t pending_count, pending_room;
  lp_meter_page *meter_pages[2]; /* one gathers, one is read or spare */
  lp_device *device;
  struct lp_renderer *host;  /* [control] whose side it is */
  lp_origin origin;            /* of this renderer's wants */
  lp_origin candidate_origin;
  struct lp_renderer *next; /* of the engine: constant, but for a renderer that goes */
  lp_followed followed;     /* this and what follows under the engine's pass_lock */
  uint8_t places_kept[LP_MAX_TRACKS], places_taken[LP_MAX_TRACKS]; /* voices admitted by slot: in the pass before, and in this one (admission.c) */
  uint8_t proxies_kept[LP_MAX_TRACKS], proxies_taken[LP_MAX_TRACKS]; /* which of them have but their proxy's pages, a bit each */
  uint32_t place_units[LP_MAX_TRACKS]; /* that they have got in this one */
} lp_renderer;

/* render.c [callback]: the one render function. Interleaved stereo. */
void lp_renderer_process(lp_renderer *r, float *out, uint32_t frames) LP_NONBLOCKING;
/* render.c [callback]: the same, where the first frame is due at another time than now. */
void lp_renderer_process_at(lp_renderer *r, float *out, uint32_t frames, uint64_t began_ns) LP_NONBLOCKING;
/* render.c [callback]: takes a publication outside of rendering, without a fade (nothing drives the renderer). */
void lp_renderer_take_inline(lp_renderer *r, lp_publication *p) LP_NONBLOCKING;
/* side.c [callback]: adds what sounds beside r. */
void lp_sides_render(lp_renderer *r, float *out, uint32_t frames, uint64_t began_ns) LP_NONBLOCKING;
/* side.c [blocking, on the thread that attaches]: the one, all of one host. */
void lp_side_leave(lp_renderer *side);
void lp_sides_leave(lp_renderer *host);
void lp_record_write(lp_renderer *r, uint64_t time_ns) LP_NONBLOCKING;
/* [any] */
void lp_record_read(lp_renderer *r, double out[16]);
/* [callback] False: there was no room for it. */
bool lp_event_push(lp_renderer *r, const lp_event *e) LP_NONBLOCKING;

/* mix.c [callback]: adds [position, position + n) of a track to left and right; limit: frames from position to the head's next jump. */
void lp_track_render(lp_renderer *r, const lp_content *content, uint32_t slot, lp_voices *voices, int64_t position, int32_t n, int64_t limit,
                     bool count, float *left, float *right) LP_NONBLOCKING;

/* mix.c [callback]: a gap of a voice begins, in place of one that stands open; one ends. */
void lp_gap_begin(lp_renderer *r, uint32_t slot, const lp_clip *clip, int64_t first, lp_voice *v, int64_t position, uint8_t filled_by, bool count) LP_NONBLOCKING;
void lp_gap_end(lp_renderer *r, uint32_t slot, lp_voice *v, int64_t position, bool count) LP_NONBLOCKING;
/* mix.c [callback]: the clip alone is to be heard, unshaped, from position (where it alone is) up to *to. False: not from there on. */
bool lp_clip_steady(const lp_content *c, const lp_found *f, int64_t position, int64_t *to) LP_NONBLOCKING;

/* mix.c [callback]: the gaps of a track end here, since the voices do. */
void lp_track_end_gaps(lp_renderer *r, uint32_t slot, int64_t position) LP_NONBLOCKING;

/* publish.c [control] */
int lp_renderer_publish(lp_renderer *r, lp_snapshot *snapshot /* a reference is taken over; NULL: as last */, const lp_step *steps,
                        uint32_t step_count);
/* publish.c [control, follower] Admits the candidate if it may be heard. Returns ns until its deadline, UINT64_MAX if none waits. */
uint64_t lp_gate_try(lp_renderer *r);
/* publish.c, under lock: frees publications that are out of use. */
void lp_publications_collect(lp_renderer *r);
/* publish.c, under lock: where the head will stand once publication p is taken, and whether it plays. */
lp_head lp_head_predict(lp_renderer *r, const lp_publication *p);

/* follow.c [any but callback]: frames that voices lack in the next n of the head, its loop followed; counts no further than `enough`. What cannot be had (an
 * absent file) and what is not heard (a muted track) are not waited for. */
int64_t lp_span_missing(const lp_snapshot *s, lp_head head, int64_t n, int64_t enough);
/* follow.c [control, follower]: wants what it looks at, for a time: marks what is there, queues what is not. */
void lp_span_want(lp_store *store, lp_origin *origin, const lp_snapshot *s, lp_head head, int64_t n, uint64_t due_ns);

#endif
