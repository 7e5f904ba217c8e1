/* The quick way for the usual case: a track on which one clip sounds, far from its edges and fades, with all its frames there and nothing being
 * ramped. What such a track plays is remembered by slot, so that a block costs one look at a page and one pass over its samples, in which gain, fader, sum and
 * meter go together. The arithmetic is mix.c's. */
#ifndef LP_STEADY_H
#define LP_STEADY_H

#include "renderer.h"

/* Tracks whose looks go before their sums: so many pages' samples are on their way from memory at a time. */
#define LP_STEADY_AHEAD 16

/* A look: what is to be added, if there is anything to be added this way. */
typedef struct lp_steady_block {
  const void *plane[2]; /* NULL: not this way */
  float gain;
  bool s16;
} lp_steady_block;

/* [callback] Looks at [position, position + n) of a track. Inside an epoch; good until it is left. limit: as lp_track_render. */
void lp_steady_look(lp_renderer *r, const lp_track *t, int64_t position, int32_t n, int64_t limit, lp_steady_block *out) LP_NONBLOCKING;
/* [callback] Adds it to out, and to the track's meter. */
void lp_steady_mix(lp_renderer *r, uint32_t slot, const lp_steady_block *block, int32_t n, float *const out[2]) LP_NONBLOCKING;
/* [callback] After lp_track_render: may the next blocks go the quick way? */
void lp_steady_note(lp_renderer *r, const lp_track *t, int64_t position) LP_NONBLOCKING;
/* [callback] Is it known that nothing lies at [position, position + n) of a track, and is nothing being ramped? Then it adds nothing to mix and meters. */
bool lp_track_rests(lp_renderer *r, const lp_track *t, int64_t position, int32_t n) LP_NONBLOCKING;
/* [callback] What was remembered of a slot is no longer so. */
static inline void lp_steady_forget(lp_renderer *r, uint32_t slot) LP_NONBLOCKING {
  r->steady[slot].content = NULL;
  lp_track_cursor_forget(&r->cursors[slot]);
}

#endif
