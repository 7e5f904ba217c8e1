/* Snapshots: immutable, structurally shared mixes, and the packed form in which they arrive.
 *
 * Packed layout, little-endian, every record a multiple of 8 bytes:
 *
 *   header  u32 magic 0x314B504C ("LPK1"), u32 bytes of all, f64 revision, u32 steps, u32 blocks, u32 tracks, u32 keeps
 *   step    f64 at, f64 remove, f64 insert                      the playhead map of this edit
 *   keep    u32 id, u32 1 or 0                                  from now on this block is kept, or no longer, also where no snapshot has it
 *   block   u32 id, u32 base id (0 none), u32 prefix, u32 suffix, f64 prefix shift, f64 suffix shift, u32 inserted, u32 0
 *           then `inserted` clips. The block is base's first `prefix` clips moved by prefix shift, the inserted ones, base's last `suffix`
 *           clips moved by suffix shift. An id is new; blocks of the last published snapshot, and those that are kept, can be bases.
 *   clip    u32 uid, u32 source handle (0: absent), f64 at, f64 length, f64 where its first frame stands in the source, f64 by how much each further one
 *           stands beyond that (1/16 … 16, below 0 backwards), both in multiples of 2^-24 frames, f64 fade in, f64 fade out, f32 gain,
 *           u32 shapes (bit 0: fade in is equal power, bit 1: fade out is, bit 2: it is silent, and needs no source)
 *   track   u32 slot, u32 pieces, f32 gain left, f32 gain right, u32 flags (bit 0: content as last published under this slot), u32 0
 *           then `pieces` pieces, in order. Flags of 2: a run, with neither gains nor pieces: `pieces` tracks as they were published last, from index `slot` on.
 *           `tracks` counts each of a run's.
 *   piece   u32 kind, u32 a, u32 b, u32 0, f64 value    kind 0: `b` block places of the track last published under this slot from
 *           index `a` on, moved by `value`; kind 1: block `a` at frame `value`
 *
 * Gains are linear, at most 1e6; mute, solo and pan are in them. A clip's uid is not 0.
 */
#ifndef LP_SNAPSHOT_H
#define LP_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "block_index.h"
#include "nonblocking.h"
#include "speed_table.h"
#include "store.h"

#define LP_PACK_MAGIC 0x314B504Cu
#define LP_MAX_TRACKS 2048u
#define LP_BLOCK_CLIPS 256u
#define LP_MAX_PLACES (1u << 20) /* of all tracks together */
#define LP_PART_BITS 24
#define LP_PARTS (1 << LP_PART_BITS) /* of a frame, as far as places in a source are told apart */
#define LP_MAX_STEP (16 * LP_PARTS)
#define LP_MIN_STEP (LP_PARTS / 16)

enum lp_shapes { LP_SHAPE_IN_POWER = 1, LP_SHAPE_OUT_POWER = 2, LP_SHAPE_SILENT = 4 };

typedef struct lp_clip {
  uint32_t uid;
  uint32_t shapes;
  lp_source *source; /* NULL: absent, or silent (shapes) */
  int64_t at;        /* relative to its block */
  int64_t length;
  int64_t first;     /* source frame at or before its first frame's place, */
  uint32_t fraction; /* which is so many LP_PARTS of a frame beyond it */
  int64_t step;      /* LP_PARTS of a frame of the source from each frame to the next, below 0 backwards */
  const lp_speed_table *table; /* the filter of what lies between frames; NULL: it plays frames as they are (clip_path.h) */
  int64_t fade_in, fade_out;
  float gain;
} lp_clip;

struct lp_block {
  uint32_t refs; /* this and what the index has of it under the renderer's lock */
  uint32_t id;
  lp_block_index *index; /* it is found there; NULL: nowhere */
  lp_block *next_of_id;
  bool kept; /* one reference is for that */
  uint32_t count;
  int64_t max_end;
  int64_t *reach; /* reach[i]: greatest end of clips 0 … i */
  lp_clip clips[];
};

typedef struct lp_place {
  int64_t start;
  int64_t reach; /* greatest absolute end of this block and all before it */
  lp_block *block;
} lp_place;

typedef struct lp_content {
  uint32_t refs;
  uint32_t count;
  lp_place places[];
} lp_content;

typedef struct lp_track {
  uint32_t slot;
  float gain[2];
  lp_content *content;
} lp_track;

typedef struct lp_snapshot {
  uint32_t refs;
  uint32_t count;
  double revision;
  lp_track tracks[];
} lp_snapshot;

typedef struct lp_map_step {
  int64_t at, remove, insert;
} lp_map_step;

/* Resolves a source handle to a source (no reference is taken), or NULL. */
typedef lp_source *(*lp_source_lookup)(void *context, uint32_t handle);

/* [control, under the renderer's lock] Decodes a packed edit against the last published snapshot, whose blocks are all in `index`; so are those of *out then.
 * On success *out has one reference and *steps is malloc'ed (may be NULL). Nothing is changed on failure: LP_E_ARGUMENT, LP_E_MEMORY, LP_E_LIMIT.
 * Costs what the edit packs, the places of the tracks that it changes, and a look at each track. */
int lp_snapshot_unpack(const uint8_t *packed, uint32_t bytes, const lp_snapshot *last, lp_block_index *index, lp_source_lookup lookup, void *context,
                       lp_snapshot **out, lp_map_step **steps, uint32_t *step_count);
/* [control, under the renderer's lock] Keeps a block, or no longer: it goes then if no snapshot has it. */
void lp_block_keep(lp_block *block, bool kept);
lp_snapshot *lp_snapshot_empty(void);
void lp_snapshot_ref(lp_snapshot *s);
void lp_snapshot_unref(lp_snapshot *s);

/* ---- reading; [callback] and [follower] ---- */

/* A clip found on a track: where it stands absolutely, and where in the content. */
typedef struct lp_found {
  const lp_clip *clip;
  int64_t start, end;
  uint32_t place, index;
} lp_found;

/* Goes through all clips that meet [from, to), in order. */
typedef struct lp_walk {
  const lp_content *content;
  int64_t from, to;
  uint32_t place, index;
} lp_walk;
lp_walk lp_content_walk(const lp_content *c, int64_t from, int64_t to) LP_NONBLOCKING;
/* False: no more. */
bool lp_walk_next(lp_walk *w, lp_found *out) LP_NONBLOCKING;
/* Takes all that are left, at most max: the last ones in order are kept, since those sound. Returns how many. */
uint32_t lp_walk_take(lp_walk *w, lp_found *out, uint32_t max) LP_NONBLOCKING;

/* Finds clips that meet [from, to), in order, at most max (the last ones in order are kept, since those sound). Returns how many. */
uint32_t lp_content_find(const lp_content *c, int64_t from, int64_t to, lp_found *out, uint32_t max) LP_NONBLOCKING;
/* The latest clip in order before f that ends after f starts: what lies under its start. False if none. */
bool lp_content_under(const lp_content *c, const lp_found *f, lp_found *out) LP_NONBLOCKING;
/* The next clip in order after f. False if none. */
bool lp_content_next(const lp_content *c, const lp_found *f, lp_found *out) LP_NONBLOCKING;
/* Does a clip later in order begin before f ends, and end after it? Takes time by blocks, not by clips, however many lie over f. */
bool lp_content_spans_end(const lp_content *c, const lp_found *f) LP_NONBLOCKING;

#endif
