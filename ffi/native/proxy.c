/* What the callback does with proxies: no lock, no allocation, no system call, no wait. */
#include "proxy.h"

#include <string.h>

static void add(_Atomic uint64_t *counter, uint64_t n) {
  /* Relaxed: read for people, each by itself; the callback is the only writer. */
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* [callback] Weights of a row at frames [first, first + n) of the clip: 0 in its holes, down to them and up from them by `step` a frame. Where `other` is 1 throughout, the row
 * is not heard and may be at once what it will. there: which frames the row has. Returns the last weight. */
static float weigh(const lp_reading *row, int64_t first, int32_t n, int64_t ahead, float step, float begin, const float *other, float *weights, bool *there) {
  const int64_t want = n + ahead;
  float w = begin;
  for (int64_t i = 0; i < n;) {
    int64_t run = lp_reading_run(row, first + i, want - i, NULL);
    const int64_t hole_at = run < want - i ? i + run : INT64_MAX;
    for (; i < n && i < hole_at; i++) {
      w = (other && other[i] >= 1.0f) || w + step >= 1.0f ? 1.0f : w + step;
      if (hole_at != INT64_MAX) {
        float down = (float)(hole_at - i) * step;
        if (down < w) w = down;
      }
      weights[i] = w;
      there[i] = true;
    }
    if (i >= n) break;
    int64_t lacks;
    const int64_t hole = lp_reading_hole(row, first + i, n - i, &lacks);
    for (int64_t k = i; k < i + hole; k++) {
      weights[k] = 0;
      there[k] = false;
    }
    if (hole > 0) w = 0;
    i += hole;
  }
  return w;
}

/* [callback] A proxy that leaves sinks from where it stands. Returns the last weight. */
static float sink(float *weights, bool *there, int32_t n, float step, float begin) {
  float w = begin;
  for (int32_t i = 0; i < n; i++) {
    w = w > step ? w - step : 0.0f;
    if (weights[i] > w) weights[i] = w;
    there[i] = there[i] && w > 0;
  }
  return weights[n - 1];
}

bool lp_proxy_look(lp_renderer *r, const lp_found *f, const lp_source *proxy, const lp_reading *own, lp_voice *v, uint32_t slot, int64_t position, int32_t n,
                   int64_t ahead, bool count, lp_stand_in *out) {
  const int64_t first = position - f->start;
  uint32_t cause = v->cause;
  if (lp_reading_run(own, first, n + ahead, &cause) == n + ahead && v->presence >= 1.0f) return false;
  if (cause >= LP_CAUSES) cause = 0;
  v->cause = (uint8_t)cause;
  const float step = 1.0f / (float)r->fade_frames;
  bool has_own[LP_BLOCK], has_proxy[LP_BLOCK];
  lp_reading_look(&out->reading, f->clip, proxy, first, n, ahead);
  const float begin = v->presence >= 1.0f ? 1.0f : v->proxy;
  v->presence = weigh(own, first, n, ahead, step, v->presence, NULL, out->own, has_own);
  v->proxy = weigh(&out->reading, first, n, ahead, step, begin, out->own, out->filled, has_proxy);
  /* Relaxed: seen a block later is soon enough. */
  if (atomic_load_explicit(&f->clip->source->proxy_leaves, memory_order_relaxed)) v->proxy = sink(out->filled, has_proxy, n, step, begin);

  uint64_t missing = 0, faded = 0, proxied = 0;
  bool all = true;
  for (int32_t i = 0; i < n; i++) {
    if (has_own[i]) {
      if (v->gap) lp_gap_end(r, slot, v, position + i, count);
    } else {
      const uint8_t by = has_proxy[i] ? LP_FILLED_BY_PROXY : LP_FILLED_BY_SILENCE;
      if (!v->gap || v->filled_by != by) {
        int64_t lacks;
        (void)lp_reading_hole(own, first + i, 1, &lacks);
        lp_gap_begin(r, slot, f->clip, lacks, v, position + i, by, count);
      }
      v->gap_frames++;
      all = false;
    }
    if (!has_own[i] && !has_proxy[i]) missing++;
    else if (out->own[i] < 1.0f && out->filled[i] < 1.0f) faded++;
    else proxied += out->own[i] < 1.0f;
  }
  if (!count) return true;
  add(&r->counts.missing[cause], missing);
  add(&r->counts.faded[cause], faded);
  add(&r->counts.proxied[cause], proxied);
  add(all ? &r->counts.hits : &r->counts.misses, 1);
  add(&r->counts.track_missing[slot][cause], missing);
  add(&r->counts.track_faded[slot][cause], faded);
  add(&r->counts.track_proxied[slot], proxied);
  return true;
}

void lp_proxy_read(lp_renderer *r, lp_stand_in *in, int64_t k, int32_t n) {
  float store[2][LP_BLOCK], *sides[2];
  lp_reading_sides(r, &in->reading, k, n, store, sides);
  for (int side = 0; side < 2; side++) memcpy(in->sides[side], sides[side], (size_t)n * sizeof *in->sides[side]);
}

void lp_proxy_blend(const lp_stand_in *in, int32_t n, float *const own[2], float out[2][LP_BLOCK]) {
  for (int side = 0; side < 2; side++)
    for (int32_t i = 0; i < n; i++) out[side][i] = own[side][i] * in->own[i] + in->sides[side][i] * ((1.0f - in->own[i]) * in->filled[i]);
}
