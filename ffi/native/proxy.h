/* Proxies: a second row of pages behind a source's own. Where a page of the source is not there, its proxy's sounds instead: full page, else proxy page,
 * else silence.
 *
 * A proxy is a source like any other, of a file that stands for the same frames at the engine's rate. The callback finds it by one load of its source; what
 * it finds is there until it leaves its epoch. */
#ifndef LP_PROXY_H
#define LP_PROXY_H

#include "reading.h"
#include "renderer.h"

/* A proxy's length may differ by as much: a lower rate rounds it up, and encoders pad. */
#define LP_PROXY_TOLERANCE_MS 10

/* proxy_pair.c [control] Gives a source its proxy, NULL: none. As lp_source_set_proxy. */
int lp_source_pair(lp_source *s, lp_source *proxy);
/* proxy_pair.c [follower] Lets go of the proxies taken away that no callback can read any more. The follower alone does: a proxy that it finds stays for
 * its pass. */
void lp_proxies_collect(lp_store *store);
/* proxy_pair.c [control] With the store: forgets those that are left. */
void lp_proxies_end(lp_store *store);

/* [callback] The proxy that may sound for a source, or NULL. Acquire: it is whole. */
static inline const lp_source *lp_proxy_of(const lp_renderer *r, const lp_source *s) LP_NONBLOCKING {
  const lp_source *proxy = atomic_load_explicit(&s->proxy, memory_order_acquire);
  return r->flags & LP_RENDERER_OFFLINE ? NULL : proxy;
}

/* How a proxy stands in for at most one block of a voice: sample = own × own weight + proxy's × ((1 − own weight) × proxy's weight). */
typedef struct lp_stand_in {
  lp_reading reading; /* of the proxy */
  float own[LP_BLOCK], filled[LP_BLOCK]; /* weights by frame */
  float sides[2][LP_BLOCK];              /* of the proxy, folded */
} lp_stand_in;

/* [callback] Looks how a voice sounds at [position, position + n), as presence_of of mix.c does of one without a proxy: sets its state, counts, and tells
 * gaps. own: what was found of the source; ahead: frames looked at beyond n. False, and nothing is done, where the source alone sounds. */
bool lp_proxy_look(lp_renderer *r, const lp_found *f, const lp_source *proxy, const lp_reading *own, lp_voice *v, uint32_t slot, int64_t position, int32_t n,
                   int64_t ahead, bool count, lp_stand_in *out) LP_NONBLOCKING;
/* [callback] Reads the proxy's frames [k, k + n) of the clip. */
void lp_proxy_read(lp_renderer *r, lp_stand_in *in, int64_t k, int32_t n) LP_NONBLOCKING;
/* [callback] What sounds of both; out may be the same as own. */
void lp_proxy_blend(const lp_stand_in *in, int32_t n, float *const own[2], float out[2][LP_BLOCK]) LP_NONBLOCKING;

#endif
