/* Rate conversion: which tables there are, where outputs stand, and how stretches of them are cut into tiles. */
#include "resample.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "float_mode.h"
#include "resample_kernel.h"
#include "resample_table.h"


#define GROUP LP_RESAMPLE_GROUP
/* Outputs of a lane in a tile: few enough for rows that are used again to be near, many enough for the filter's length to be shared. */
#define LANE_OUTPUTS 192
/* Outputs of a smooth table that are sorted by segments. */
#define SMOOTH_OUTPUTS 4096
/* Samples that vectors may read beyond what is used. */
#define SLACK 64

/* One a ratio, whatever the kernels. */
typedef struct lp_shared_table {
  struct lp_shared_table *next;
  lp_resample_table *table;
  uint32_t refs;
} lp_shared_table;

struct lp_resample_plan {
  lp_resampler public;
  struct lp_resample_plan *next;
  uint32_t refs;
  const lp_resample_kernel *kernel;
  const lp_resample_table *table; /* NULL: equal rates */
  lp_shared_table *shared;
  /* Where things lie in scratch, in floats. */
  size_t rows_at, outputs_at, edges_at;
  uint32_t lane_outputs; /* at most so many at once */
};

/* Under the mutex, and so are all counts of references. It is held while tables are computed: whoever needs the same waits for it anyway. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct lp_resample_plan *plans;
static lp_shared_table *tables;

/* ---- kernels ----------------------------------------------------------------------------------------------- */

static const lp_resample_kernel *kernel_of(lp_resample_kind kind) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  switch (kind) {
    case LP_RESAMPLE_BEST: return avx512 ? &lp_resample_avx512 : avx2 ? &lp_resample_avx2 : &lp_resample_plain;
    case LP_RESAMPLE_AVX512: return avx512 ? &lp_resample_avx512 : NULL;
    case LP_RESAMPLE_AVX2: return avx2 ? &lp_resample_avx2 : NULL;
    case LP_RESAMPLE_PLAIN: return &lp_resample_plain;
  }
  return NULL;
#else
  return kind == LP_RESAMPLE_BEST || kind == LP_RESAMPLE_PLAIN ? &lp_resample_plain : NULL;
#endif
}

/* ---- plans and their tables -------------------------------------------------------------------------------- */

static uint32_t common_divisor(uint32_t a, uint32_t b) {
  while (b != 0) {
    uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Under the mutex. */
static lp_shared_table *table_acquire(uint32_t up, uint32_t down) {
  for (lp_shared_table *s = tables; s != NULL; s = s->next) {
    if (s->table->up != up || s->table->down != down) continue;
    s->refs++;
    return s;
  }
  lp_shared_table *s = calloc(1, sizeof *s);
  if (s == NULL || (s->table = lp_resample_table_create(up, down)) == NULL) {
    free(s);
    return NULL;
  }
  s->refs = 1;
  s->next = tables;
  tables = s;
  return s;
}

/* Under the mutex. */
static void table_release(lp_shared_table *s) {
  if (s == NULL || --s->refs > 0) return;
  lp_shared_table **link = &tables;
  while (*link != s) link = &(*link)->next;
  *link = s->next;
  lp_resample_table_destroy(s->table);
  free(s);
}

/* To whole lines. */
static size_t rounded_up(uint64_t floats) { return (floats + 15) / 16 * 16; }

/* Outputs of one lane that are computed at once, of a period of so many. */
static uint32_t lane_outputs(uint32_t period) {
  return period > LANE_OUTPUTS ? LANE_OUTPUTS / GROUP * GROUP : LANE_OUTPUTS / period * period;
}

static void lay_scratch(struct lp_resample_plan *p) {
  const lp_resample_table *t = p->table;
  uint64_t taken, rows = 0, outputs = 0, edges = 0;
  if (t->smooth) {
    taken = (uint64_t)SMOOTH_OUTPUTS * t->down / t->up + 1 + t->taps;
    rows = SMOOTH_OUTPUTS * sizeof(lp_resample_point) / sizeof(float);
    outputs = t->segments;
  } else {
    bool whole = t->period <= LANE_OUTPUTS; /* as in layout_of */
    uint32_t lanes = whole ? p->kernel->wide : p->kernel->narrow;
    uint64_t stride = (uint64_t)(whole ? p->lane_outputs : t->period) * t->down / t->up;
    taken = lanes * stride + 1 + t->rows;
    rows = ((uint64_t)p->lane_outputs * t->down / t->up + 1 + t->rows + 4) * lanes;
    outputs = (uint64_t)(p->lane_outputs + GROUP) * lanes;
    edges = (uint64_t)8 * p->lane_outputs;
  }
  p->rows_at = rounded_up(taken + SLACK);
  p->outputs_at = p->rows_at + rounded_up(rows + SLACK);
  p->edges_at = p->outputs_at + rounded_up(outputs + SLACK);
  p->public.scratch_bytes = (p->edges_at + rounded_up(edges + SLACK)) * sizeof(float);
}

/* Under the mutex. */
static int plan_create(uint32_t up, uint32_t down, const lp_resample_kernel *kernel, struct lp_resample_plan **out) {
  struct lp_resample_plan *p = calloc(1, sizeof *p);
  if (p == NULL) return LP_E_MEMORY;
  p->kernel = kernel;
  p->public = (lp_resampler){.up = up, .down = down, .taps = 1, .kernel = kernel->name, .own = p};
  if (up != down) {
    p->shared = table_acquire(up, down);
    if (p->shared == NULL) {
      free(p);
      return LP_E_MEMORY;
    }
    p->table = p->shared->table;
    p->public.taps = p->table->taps;
    p->public.before = (int32_t)(p->table->taps / 2 - 1);
    if (!p->table->smooth) p->lane_outputs = lane_outputs(p->table->period);
    lay_scratch(p);
  }
  p->next = plans;
  plans = p;
  *out = p;
  return LP_OK;
}

int lp_resampler_open_kind(uint32_t in_rate, uint32_t out_rate, lp_resample_kind kind, const lp_resampler **out) {
  const uint32_t least = LP_RESAMPLE_MIN_RATE, most = LP_RESAMPLE_MAX_RATE;
  if (in_rate < least || in_rate > most || out_rate < least || out_rate > most) return LP_E_ARGUMENT;
  const lp_resample_kernel *kernel = kernel_of(kind);
  if (kernel == NULL) return LP_E_UNSUPPORTED;
  uint32_t divisor = common_divisor(in_rate, out_rate), up = out_rate / divisor, down = in_rate / divisor;
  int result = LP_OK;
  pthread_mutex_lock(&mutex);
  struct lp_resample_plan *p = plans;
  while (p != NULL && (p->public.up != up || p->public.down != down || p->kernel != kernel)) p = p->next;
  if (p == NULL) result = plan_create(up, down, kernel, &p);
  if (result == LP_OK) {
    p->refs++;
    *out = &p->public;
  }
  pthread_mutex_unlock(&mutex);
  return result;
}

int lp_resampler_open(uint32_t in_rate, uint32_t out_rate, const lp_resampler **out) {
  return lp_resampler_open_kind(in_rate, out_rate, LP_RESAMPLE_BEST, out);
}

void lp_resampler_close(const lp_resampler *r) {
  if (r == NULL) return;
  struct lp_resample_plan *p = r->own;
  pthread_mutex_lock(&mutex);
  if (--p->refs == 0) {
    struct lp_resample_plan **link = &plans;
    while (*link != p) link = &(*link)->next;
    *link = p->next;
    table_release(p->shared);
    free(p);
  }
  pthread_mutex_unlock(&mutex);
}

/* ---- positions --------------------------------------------------------------------------------------------- */

/* value = *quotient · divisor + rest, with 0 ≤ rest < divisor. */
static int64_t divide(int64_t value, int64_t divisor, int64_t *rest) {
  int64_t quotient = value / divisor;
  *rest = value % divisor;
  if (*rest < 0) {
    *rest += divisor;
    quotient--;
  }
  return quotient;
}

/* floor(n · M / L), and the phase. With n = q · L + s it is q · M + s · M / L, where |q · M| stays below 2^53 · 48 and s · M below 2^38. */
static int64_t position_of(int64_t n, uint32_t up, uint32_t down, uint32_t *phase) {
  int64_t s, whole = divide(n, up, &s) * down;
  *phase = (uint32_t)(s * down % up);
  return whole + s * down / up;
}

int64_t lp_resampled_frames(const lp_resampler *r, int64_t in_frames) {
  int64_t rest, whole = divide(in_frames, r->down, &rest) * r->up;
  return whole + (rest * r->up + r->down - 1) / r->down;
}

void lp_resample_position(const lp_resampler *r, int64_t out_frame, int64_t *in_frame, uint32_t *phase) {
  *in_frame = position_of(out_frame, r->up, r->down, phase);
}

void lp_resample_span(const lp_resampler *r, int64_t out_first, int64_t out_frames, int64_t *in_first, int64_t *in_frames) {
  uint32_t phase;
  int64_t first = position_of(out_first, r->up, r->down, &phase);
  *in_first = first - r->before;
  *in_frames = out_frames <= 0 ? 0 : position_of(out_first + out_frames - 1, r->up, r->down, &phase) - first + r->taps;
}

int64_t lp_resample_ready(const lp_resampler *r, int64_t in_end) {
  int64_t after = (int64_t)r->taps - 1 - r->before; /* input frames beyond the one at or before an output */
  return in_end <= after ? 0 : lp_resampled_frames(r, in_end - after);
}

double lp_resample_coefficient(const lp_resampler *r, uint32_t phase, uint32_t tap) {
  const struct lp_resample_plan *p = r->own;
  return p->table == NULL ? 1 : lp_resample_table_coefficient(p->table, phase, tap);
}

/* ---- conversion -------------------------------------------------------------------------------------------- */

/* What a call works on. All below is [any]. */
typedef struct span {
  const struct lp_resample_plan *plan;
  const float *in; /* input frames [first, first + frames) */
  int64_t first, frames;
  float *scratch;
} span;

/* Input frames [from, from + n) to the start of scratch; 0 where the caller has none, which is for outputs that nobody asked for. */
static const float *take(const span *s, int64_t from, int64_t n) {
  int64_t begin = from - s->first, end = begin + n, low = begin < 0 ? 0 : begin, high = end > s->frames ? s->frames : end;
  if (high < low) high = low = begin < 0 ? 0 : s->frames;
  int64_t empty = low - begin < n ? low - begin : n;
  if (empty > 0) memset(s->scratch, 0, (size_t)empty * sizeof(float));
  if (high > low) s->plan->kernel->take(s->scratch + (low - begin), s->in + low, high - low);
  int64_t done = empty + (high - low);
  /* Vectors look beyond the end: at zeros, not at what was there before. */
  memset(s->scratch + done, 0, (size_t)(n - done + SLACK) * sizeof(float));
  return s->scratch;
}

/* How outputs are spread over the lanes of a tile. */
typedef struct layout {
  bool wide;
  uint32_t lanes, used;
  int64_t spread; /* outputs from lane to lane: whole periods */
  int64_t stride; /* input frames from lane to lane */
} layout;

static layout layout_of(const struct lp_resample_plan *p, int64_t outputs) {
  const lp_resample_table *t = p->table;
  /* A period that is cut into stretches needs so much scratch that it stays in the narrow tile. */
  layout a = {.wide = t->period <= LANE_OUTPUTS && outputs > (int64_t)p->kernel->narrow * t->period};
  a.lanes = a.wide ? p->kernel->wide : p->kernel->narrow;
  int64_t most = t->period <= LANE_OUTPUTS ? p->lane_outputs : t->period;
  int64_t share = (outputs - 1) / ((int64_t)a.lanes * t->period) * t->period + t->period;
  a.spread = share < most ? share : most;
  a.stride = a.spread / t->period * t->stride;
  int64_t used = (outputs - 1) / a.spread + 1;
  a.used = used < a.lanes ? (uint32_t)used : a.lanes;
  return a;
}

/* y[row][lane] to out[lane · spread + row + shift], as far as that lies in [0, room). */
static void put(const span *s, const float *y, uint32_t rows, const layout *a, int64_t shift, float *out, int64_t room) {
  float *edges = s->scratch + s->plan->edges_at;
  const uint32_t least = rows < 4 ? 4 : rows;
  for (uint32_t l = 0; l < a->used; l += 8) {
    float *to[8];
    bool direct[8];
    for (uint32_t i = 0; i < 8; i++) {
      int64_t at = (int64_t)(l + i) * a->spread + shift;
      direct[i] = l + i < a->used && at >= 0 && at + least <= room && least == rows;
      to[i] = direct[i] ? out + at : edges + (size_t)i * least;
    }
    s->plan->kernel->unpack(to, y + l, least, a->lanes);
    for (uint32_t i = 0; i < 8 && l + i < a->used; i++) {
      int64_t at = (int64_t)(l + i) * a->spread + shift, low = at < 0 ? -at : 0, high = at + rows > room ? room - at : rows;
      if (!direct[i] && high > low) memcpy(out + at + low, to[i] + low, (size_t)(high - low) * sizeof(float));
    }
  }
}

/* Outputs of a group. */
static uint32_t group_size(const lp_resample_table *t, uint32_t group) {
  uint32_t left = t->period - group * GROUP;
  return left < GROUP ? left : GROUP;
}

/* The input frame at or before an output. */
static int64_t frame_of(const lp_resample_table *t, int64_t n) {
  uint32_t phase;
  return position_of(n, t->up, t->down, &phase);
}

/* A tile's worth from output `begin` on, which is the first of `group`: all of the lanes' outputs, or the first `outputs` of a single lane. Output
 * `begin` goes to out[-lead]; what lies outside [0, room) is dropped. */
static void convert_tile(const span *s, const layout *a, int64_t begin, uint32_t group, int64_t outputs, int64_t lead, float *out, int64_t room) {
  const struct lp_resample_plan *p = s->plan;
  const lp_resample_table *t = p->table;
  float *x = s->scratch + p->rows_at, *y = s->scratch + p->outputs_at;
  int64_t base = frame_of(t, begin), reach = frame_of(t, begin + outputs - 1) - base + t->rows;
  const float *in = take(s, base - p->public.before, (a->used - 1) * a->stride + reach);
  /* In stretches of as many groups as there is room for. */
  for (int64_t done = 0; done < outputs;) {
    uint32_t count = 0, rows = 0, last = 0, g = group;
    while (done + rows < outputs && rows + group_size(t, g) <= p->lane_outputs) {
      last = rows;
      rows += group_size(t, g);
      count++;
      g = g + 1 == t->groups ? 0 : g + 1;
    }
    int64_t from = frame_of(t, begin + done), window = frame_of(t, begin + done + last) - from + t->rows;
    p->kernel->pack(x, in + (from - base), a->stride, (uint32_t)window, a->lanes, a->used);
    (a->wide ? p->kernel->tile_wide : p->kernel->tile_narrow)(t, group, count, x, y);
    put(s, y, rows, a, done - lead, out, room);
    done += rows;
    group = g;
  }
}

static void convert_periodic(const span *s, int64_t out_first, int64_t out_frames, float *out) {
  const struct lp_resample_plan *p = s->plan;
  int64_t residue;
  divide(out_first, p->table->period, &residue);
  uint32_t group = (uint32_t)residue / GROUP;
  /* Groups are cut at the same absolute frames always, so the first may begin before what was asked for. */
  int64_t lead = residue % GROUP, begin = out_first - lead;
  while (out_frames > 0) {
    int64_t wanted = out_frames + lead;
    layout a = layout_of(p, wanted);
    int64_t all = a.used * a.spread;
    convert_tile(s, &a, begin, group, a.used == 1 && wanted < a.spread ? wanted : a.spread, lead, out, out_frames);
    begin += all; /* whole periods: the next tile begins with the same group */
    out += all - lead;
    out_frames -= all - lead;
    lead = 0;
  }
}

/* Where an output of a smooth table stands: frame + (segment + rest / L) / segments. */
typedef struct place {
  int64_t frame;
  uint32_t segment, rest;
} place;

static place place_of(const lp_resample_table *t, int64_t frame, uint32_t phase) {
  uint64_t scaled = (uint64_t)phase * t->segments;
  return (place){frame, (uint32_t)(scaled / t->up), (uint32_t)(scaled % t->up)};
}

/* The place of the next output: exact, since all parts are integers. */
static place advance(const lp_resample_table *t, place p, place step) {
  p.frame += step.frame;
  p.segment += step.segment;
  p.rest += step.rest;
  if (p.rest >= t->up) {
    p.rest -= t->up;
    p.segment++;
  }
  if (p.segment >= t->segments) {
    p.segment -= t->segments;
    p.frame++;
  }
  return p;
}

/* By segments, so that the curves of each are fetched once for all its outputs. */
static void convert_smooth(const span *s, int64_t out_first, int64_t out_frames, float *out) {
  const struct lp_resample_plan *p = s->plan;
  const lp_resample_table *t = p->table;
  lp_resample_point *points = (lp_resample_point *)(void *)(s->scratch + p->rows_at);
  uint32_t *end = (uint32_t *)(void *)(s->scratch + p->outputs_at);
  const place step = place_of(t, t->down / t->up, t->down % t->up);
  while (out_frames > 0) {
    uint32_t n = out_frames < SMOOTH_OUTPUTS ? (uint32_t)out_frames : SMOOTH_OUTPUTS, phase;
    int64_t base = position_of(out_first, t->up, t->down, &phase);
    const float *in = take(s, base - p->public.before, frame_of(t, out_first + n - 1) - base + t->taps);
    /* A counting sort: how many outputs each segment has, where they begin, and, as they are put there, where they end. */
    const place first = place_of(t, 0, phase);
    memset(end, 0, t->segments * sizeof *end);
    place at = first;
    for (uint32_t i = 0; i < n; i++, at = advance(t, at, step)) end[at.segment]++;
    for (uint32_t i = 0, before = 0; i < t->segments; i++) {
      uint32_t count = end[i];
      end[i] = before;
      before += count;
    }
    at = first;
    for (uint32_t i = 0; i < n; i++, at = advance(t, at, step))
      points[end[at.segment]++] = (lp_resample_point){(double)at.rest / t->up - 0.5, (int32_t)at.frame, (int32_t)i};
    for (uint32_t i = 0, begin = 0; i < t->segments; begin = end[i++])
      if (end[i] > begin) p->kernel->segment(t, i, points + begin, end[i] - begin, in, out);
    out_first += n;
    out_frames -= n;
    out += n;
  }
}

void lp_resample(const lp_resampler *r, int64_t out_first, int64_t out_frames, const float *restrict in, float *restrict out, void *restrict scratch) {
  const struct lp_resample_plan *p = r->own;
  if (out_frames <= 0) return;
  if (p->table == NULL) {
    p->kernel->take(out, in, out_frames);
    return;
  }
  assert((uintptr_t)scratch % 64 == 0);
  span s = {.plan = p, .in = in, .scratch = scratch};
  lp_resample_span(r, out_first, out_frames, &s.first, &s.frames);
  uint64_t mode = lp_float_mode_flush();
  if (p->table->smooth) convert_smooth(&s, out_first, out_frames, out);
  else convert_periodic(&s, out_first, out_frames, out);
  lp_float_mode_restore(mode);
}
