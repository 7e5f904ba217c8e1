/* What a voice reads of a source, its clip's own or a proxy of it: what is there, counted in frames of the clip, and its samples, folded to two sides and at the
 * clip's rate. A frame is there when all is there that it takes. */
#ifndef LP_READING_H
#define LP_READING_H

#include "clip_path.h"
#include "renderer.h"

typedef struct lp_reading {
  const lp_clip *clip;
  lp_view view;
} lp_reading;

/* [callback] Frames of a clip that may be looked at and read in one go, at most LP_BLOCK. */
int32_t lp_reading_most(const lp_clip *c) LP_NONBLOCKING;
/* [callback] Looks at its frames [k, k + n), n at most lp_reading_most. ahead: so many more will be asked about. Inside an epoch, and good until it is left: what
 * a run promises of these n, a read gives. */
void lp_reading_look(lp_reading *r, const lp_clip *c, const lp_source *s, int64_t k, int32_t n, int64_t ahead) LP_NONBLOCKING;
/* [callback] Frames there without a gap from k on, at most max. What is not of the source is silence, and there. If less than max: *cause (may be NULL) tells why
 * the next one is not. */
int64_t lp_reading_run(const lp_reading *r, int64_t k, int64_t max, uint32_t *cause) LP_NONBLOCKING;
/* [callback] Frames missing from k on until one is there, at most max. If any, *first is the frame of the source that the first of them lacks. */
int64_t lp_reading_hole(const lp_reading *r, int64_t k, int64_t max, int64_t *first) LP_NONBLOCKING;
/* [callback] Whether its frames [k, k + n) lie outside of the source altogether. */
bool lp_reading_is_beyond(const lp_reading *r, int64_t k, int32_t n) LP_NONBLOCKING;
/* [callback] Its frames [k, k + n), as far as they are looked at: where both sides lie, in `store` or in the renderer's memory, until the next call. What is not
 * there reads as 0. */
void lp_reading_sides(lp_renderer *renderer, const lp_reading *r, int64_t k, int32_t n, float store[2][LP_BLOCK], float *sides[2]) LP_NONBLOCKING;
/* [callback] Whether a source's channels are the sides: mono to both, or stereo. */
bool lp_source_is_plain(const lp_source *s) LP_NONBLOCKING;

#endif
