#include "master_rate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "device_clock.h"
#include "engine.h"
#include "resample.h"

#define SIDES 2
/* Device frames made at a time. */
#define BLOCK 512
/* Mix frames rendered at a time. */
#define PIECE 1024
#define ALIGNMENT 64

struct lp_master_rate {
  const lp_resampler *resampler;
  uint32_t mix_rate;
  lp_master_render render;
  void *context;
  /* [callback] */
  int64_t put_out;  /* device frames so far */
  int64_t first;    /* of the mix, that history begins with; below 0 is the silence before it */
  int64_t rendered; /* mix frames so far */
  float *history[SIDES]; /* mix frames [first, rendered), and zeros before 0 */
  float *piece;          /* interleaved, as rendered */
  float *made[SIDES];
  void *scratch;
};

/* Memory that is there when the callback touches it: a page that nobody has written to yet would take it into the system. */
static void *touched(size_t bytes) {
  size_t room = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  uint8_t *p = aligned_alloc(ALIGNMENT, room ? room : ALIGNMENT);
  for (size_t i = 0; p != NULL && i < room; i++) ((volatile uint8_t *)p)[i] = 0;
  return p;
}

int lp_master_rate_make(uint32_t mix_rate, uint32_t device_rate, lp_master_render render, void *context, lp_master_rate **out) {
  *out = NULL;
  if (mix_rate == device_rate) return LP_OK;
  lp_master_rate *m = calloc(1, sizeof *m);
  if (m == NULL) return LP_E_MEMORY;
  m->mix_rate = mix_rate;
  m->render = render;
  m->context = context;
  int result = lp_resampler_open(mix_rate, device_rate, &m->resampler);
  if (result != LP_OK) {
    free(m);
    return result;
  }
  const lp_resampler *r = m->resampler;
  const size_t room = (size_t)((uint64_t)BLOCK * r->down / r->up + 2 + r->taps);
  m->first = -(int64_t)r->before;
  bool ok = (m->piece = touched(PIECE * SIDES * sizeof(float))) != NULL && (m->scratch = touched(r->scratch_bytes)) != NULL;
  for (int side = 0; side < SIDES; side++)
    ok = ok && (m->history[side] = touched(room * sizeof(float))) != NULL && (m->made[side] = touched(BLOCK * sizeof(float))) != NULL;
  if (!ok) {
    lp_master_rate_free(m);
    return LP_E_MEMORY;
  }
  *out = m;
  return LP_OK;
}

void lp_master_rate_free(lp_master_rate *m) {
  if (m == NULL) return;
  lp_resampler_close(m->resampler);
  for (int side = 0; side < SIDES; side++) {
    free(m->history[side]);
    free(m->made[side]);
  }
  free(m->piece);
  free(m->scratch);
  free(m);
}

uint32_t lp_master_rate_delay(const lp_master_rate *m) { return m == NULL ? 0 : m->resampler->taps - 1 - (uint32_t)m->resampler->before; }

/* Renders the mix up to frame `end`. */
static void render_to(lp_master_rate *m, int64_t end, uint64_t *begins_ns) {
  while (m->rendered < end) {
    const uint32_t n = end - m->rendered < PIECE ? (uint32_t)(end - m->rendered) : PIECE;
    m->render(m->context, m->piece, n, *begins_ns);
    *begins_ns += (uint64_t)lp_device_clock_span(m->mix_rate, n);
    const size_t at = (size_t)(m->rendered - m->first);
    for (uint32_t i = 0; i < n; i++)
      for (int side = 0; side < SIDES; side++) m->history[side][at + i] = m->piece[i * SIDES + (uint32_t)side];
    m->rendered += n;
  }
}

/* Forgets what lies before frame `first`. */
static void forget(lp_master_rate *m, int64_t first) {
  const int64_t gone = first - m->first;
  if (gone <= 0) return;
  const int64_t kept = m->rendered - first;
  for (int side = 0; side < SIDES; side++) memmove(m->history[side], m->history[side] + gone, (size_t)(kept > 0 ? kept : 0) * sizeof(float));
  m->first = first;
}

void lp_master_rate_pull(lp_master_rate *m, float *out, uint32_t frames, uint64_t begins_ns) {
  while (frames > 0) {
    const uint32_t n = frames < BLOCK ? frames : BLOCK;
    int64_t first, span;
    lp_resample_span(m->resampler, m->put_out, n, &first, &span);
    assert(first <= m->rendered); /* what lies between two spans was in the first one: a filter is longer than a step of the device */
    forget(m, first);
    render_to(m, first + span, &begins_ns);
    for (int side = 0; side < SIDES; side++) lp_resample(m->resampler, m->put_out, n, m->history[side], m->made[side], m->scratch);
    for (uint32_t i = 0; i < n; i++)
      for (int side = 0; side < SIDES; side++) out[i * SIDES + (uint32_t)side] = m->made[side][i];
    m->put_out += n;
    out += (size_t)n * SIDES;
    frames -= n;
  }
}
