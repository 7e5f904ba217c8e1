/* The way of a clip through its source. Its frame k stands at first + (fraction + k · step) / LP_PARTS: exact, since all parts are integers, and so what sounds at a
 * frame of the timeline does not depend on where the clip that plays it was cut.
 *
 * A plain clip, forward or backwards, plays frames of the source as they are. Any other takes for each of its frames those that its filter reaches
 * (speed_table.h): `reach` of them after the one at or before its place, and one less before. */
#ifndef LP_CLIP_PATH_H
#define LP_CLIP_PATH_H

#include "snapshot.h"

/* A place in a source. */
typedef struct lp_spot {
  int64_t frame;
  uint32_t fraction; /* parts of a frame beyond it */
} lp_spot;

/* Frames of a source: [from, to). */
typedef struct lp_span {
  int64_t from, to;
} lp_span;

/* [callback, follower] As the source has it, frame by frame. */
static inline bool lp_clip_is_plain(const lp_clip *c) LP_NONBLOCKING { return !c->table; }
static inline bool lp_clip_is_forward(const lp_clip *c) LP_NONBLOCKING { return c->step == LP_PARTS && !c->table; }
/* [callback, follower] Frames of the source that it takes beyond the one at or before a place. */
static inline int64_t lp_clip_reach(const lp_clip *c) LP_NONBLOCKING { return c->table ? c->table->taps / 2 : 0; }
static inline int64_t lp_clip_taps(const lp_clip *c) LP_NONBLOCKING { return c->table ? c->table->taps : 1; }
/* [follower] Its rate, above 0. */
static inline double lp_clip_speed(const lp_clip *c) { return (double)(c->step < 0 ? -c->step : c->step) / LP_PARTS; }

/* [callback, follower] Where its frame k stands. Steps are at most 2^28 and frames 2^53: in two parts nothing overflows. */
static inline lp_spot lp_clip_spot(const lp_clip *c, int64_t k) LP_NONBLOCKING {
  const int64_t parts = (k & (LP_PARTS - 1)) * c->step + c->fraction;
  return (lp_spot){c->first + (k >> LP_PART_BITS) * c->step + (parts >> LP_PART_BITS), (uint32_t)(parts & (LP_PARTS - 1))};
}

/* [callback, follower] What its frames [a, b) need of the source; a < b. */
static inline lp_span lp_clip_span(const lp_clip *c, int64_t a, int64_t b) LP_NONBLOCKING {
  const int64_t one = lp_clip_spot(c, a).frame, other = lp_clip_spot(c, b - 1).frame, reach = lp_clip_reach(c);
  const int64_t before = reach ? reach - 1 : 0;
  return c->step > 0 ? (lp_span){one - before, other + 1 + reach} : (lp_span){other - before, one + 1 + reach};
}

/* [callback] Its frames from k on until the first whose place is at or beyond a bound, backwards before it; `most` at most. */
static inline int64_t lp_clip_frames_to(const lp_clip *c, int64_t k, int64_t bound, int64_t most) LP_NONBLOCKING {
  const lp_spot s = lp_clip_spot(c, k);
  const int64_t step = c->step > 0 ? c->step : -c->step;
  int64_t frames = c->step > 0 ? bound - s.frame : s.frame - bound;
  if (frames < 0) return 0;
  /* Nobody looks so far ahead. */
  if (frames > (int64_t)1 << 36) return most;
  const int64_t parts = c->step > 0 ? frames * LP_PARTS - s.fraction : frames * LP_PARTS + s.fraction;
  if (c->step > 0 && parts <= 0) return 0;
  const int64_t n = c->step > 0 ? (parts + step - 1) / step : parts / step + 1;
  return n < most ? n : most;
}

#endif
