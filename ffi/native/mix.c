/* One track's samples: clips, overlaps, fades, holes.
 *
 * Arithmetic, so that a mix can be computed again elsewhere bit for bit (each named value is rounded to f32, sums in this order):
 *
 *   envelope e = 1; inside the fade in  e = e × shape(w);  inside the fade out  e = e × shape(w);  under another clip  e = e × cover
 *   gain     g = clip gain × e
 *   sample   per channel folded to two sides; mono gives both sides the sample, stereo each side its own
 *   sum      side = side + (sample × g),   clip after clip in order
 *
 * w of a fade in at frame t is (t − start + 0.5) / length, of a fade out (end − t − 0.5) / length, in double, rounded to f32 by
 * shape(): linear is w, equal power is sin(π/2 · w) by the series below. At most two clips sound at a frame: the last in order of
 * those that are there (the top), and the one before it (the under).
 *
 * Fade lengths. A top that begins on an under that ends inside the top: their overlap is the crossfade, in place of their own two fades there.
 * A top nested in its under: its own fades, and the under sinks and rises by the complement. Where a third clip starts
 * inside a fade in over an under, the fade is cut short to end there.
 */
#include <math.h>
#include <string.h>

#include "proxy.h"
#include "reading.h"

/* sin(π/2 · w) for w in 0 … 1: Taylor's series to x^15, error below 1e-10. No library function, so that the bits are the same everywhere. */
static double quarter_sine(double w) {
  double x = w * 1.5707963267948966;
  double y = x * x;
  return x * (1.0 + y * (-1.0 / 6.0 + y * (1.0 / 120.0 + y * (-1.0 / 5040.0 + y * (1.0 / 362880.0 + y * (-1.0 / 39916800.0 + y * (1.0 / 6227020800.0 + y * (-1.0 / 1307674368000.0))))))));
}

static float shape(bool equal_power, double w) {
  if (w <= 0) return 0.0f;
  if (w >= 1) return 1.0f;
  return (float)(equal_power ? quarter_sine(w) : w);
}

/* How a clip's edges sound, given its neighbours. */
typedef struct edges {
  int64_t in, out;      /* lengths of its fades, 0 none */
  bool in_power, out_power;
  bool nested;          /* what lies under its start goes on beyond its end */
  bool covers;          /* something lies under its start */
} edges;

static edges edges_of(const lp_content *c, const lp_found *f) {
  edges e = { f->clip->fade_in, f->clip->fade_out, (f->clip->shapes & LP_SHAPE_IN_POWER) != 0, (f->clip->shapes & LP_SHAPE_OUT_POWER) != 0, false, false };
  lp_found other;
  if (lp_content_under(c, f, &other)) {
    e.covers = true;
    e.nested = other.end >= f->end;
    if (!e.nested) e.in = other.end - f->start;
    lp_found next;
    if (lp_content_next(c, f, &next) && next.start - f->start < e.in) e.in = next.start - f->start;
  }
  /* A later clip that spans this one's end takes over there: the overlap is the crossfade. */
  if (e.out > 0 && lp_content_spans_end(c, f)) e.out = 0;
  return e;
}

bool lp_clip_steady(const lp_content *c, const lp_found *f, int64_t position, int64_t *to) {
  const edges e = edges_of(c, f);
  *to = f->end - (e.out > 0 ? e.out : 0);
  lp_found next;
  if (lp_content_next(c, f, &next) && next.start < *to) *to = next.start;
  return position >= f->start + (e.in > 0 ? e.in : 0) && position < *to;
}

/* Envelope of a clip by its own edges at [from, from + n), into env. Returns false, and writes nothing, where it is 1 throughout. */
static bool own_envelope(const lp_found *f, const edges *e, int64_t from, int32_t n, float *env) {
  bool in = e->in > 0 && from < f->start + e->in;
  bool out = e->out > 0 && from + n > f->end - e->out;
  if (!in && !out) return false;
  for (int32_t i = 0; i < n; i++) {
    int64_t t = from + i;
    float v = 1.0f;
    if (in && t < f->start + e->in) v *= shape(e->in_power, ((double)(t - f->start) + 0.5) / (double)e->in);
    if (out && t >= f->end - e->out) v *= shape(e->out_power, ((double)(f->end - t) - 0.5) / (double)e->out);
    env[i] = v;
  }
  return true;
}

enum cover { COVER_SOME, COVER_ALL };

/* How far the top hides the under at [from, from + n): multiplies env by it. */
static enum cover cover_envelope(const lp_found *under, const lp_found *top, const edges *t, int64_t from, int32_t n, float *env, bool env_set) {
  /* Does the under rise again while the top fades out? Only where it goes on beyond the top's end. */
  bool rises = under->end >= top->end && t->out > 0 && from + n > top->end - t->out;
  bool sinks = t->in > 0 && from < top->start + t->in;
  if (!rises && !sinks) return COVER_ALL;
  bool sink_power = t->nested ? t->in_power : (under->clip->shapes & LP_SHAPE_OUT_POWER) != 0;
  bool any = false;
  for (int32_t i = 0; i < n; i++) {
    int64_t at = from + i;
    float v = 0.0f;
    if (sinks && at < top->start + t->in) v = shape(sink_power, ((double)(top->start + t->in - at) - 0.5) / (double)t->in);
    else if (rises && at >= top->end - t->out) v = shape(t->out_power, 1.0 - ((double)(top->end - at) - 0.5) / (double)t->out);
    env[i] = env_set ? env[i] * v : v;
    any = any || v != 0.0f;
  }
  return any ? COVER_SOME : COVER_ALL;
}

static void add(_Atomic uint64_t *counter, uint64_t n) {
  /* Relaxed: counters are read for people, each by itself; the callback is their only writer. */
  atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* Each gap that begins ends, and says how many frames it had: when its frames are there again, or with its voice: at the clip's end, where another hides
 * it, when its track falls silent, at a jump of the head, at an edit of its track. Without `count` (what sinks away in a fade, and was
 * counted before) nothing is said. */
static void gap_event(lp_renderer *r, uint32_t kind, uint32_t slot, const lp_voice *v, int64_t position) {
  lp_event e = { .kind = kind,
                 .cause = v->cause,
                 .track = slot,
                 .clip = v->uid,
                 .source = v->gap_source,
                 .filled_by = v->filled_by,
                 .a = (double)position,
                 .b = (double)v->gap_frames,
                 .value = (double)v->gap_step / LP_PARTS,
                 .source_frame = (double)v->gap_first };
  if (!lp_event_push(r, &e) && kind == LP_EV_GAP_END && v->filled_by == LP_FILLED_BY_SILENCE) add(&r->counts.gap_frames_lost, (uint64_t)v->gap_frames);
}

void lp_gap_begin(lp_renderer *r, uint32_t slot, const lp_clip *clip, int64_t first, lp_voice *v, int64_t position, uint8_t filled_by, bool count) {
  if (v->gap) lp_gap_end(r, slot, v, position, count);
  v->gap = true;
  v->filled_by = filled_by;
  v->gap_frames = 0;
  v->gap_first = first;
  v->gap_source = clip->source ? clip->source->handle : 0;
  v->gap_step = (int32_t)clip->step;
  if (!count) return;
  r->gaps++;
  gap_event(r, LP_EV_GAP_BEGIN, slot, v, position);
}

void lp_gap_end(lp_renderer *r, uint32_t slot, lp_voice *v, int64_t position, bool count) {
  v->gap = false;
  if (!count) return;
  r->gaps--;
  gap_event(r, LP_EV_GAP_END, slot, v, position);
}

void lp_track_end_gaps(lp_renderer *r, uint32_t slot, int64_t position) {
  for (int i = 0; i < 2; i++)
    if (r->voices->of[slot][i].gap) lp_gap_end(r, slot, &r->voices->of[slot][i], position, true);
}

/* The voice of a clip, or NULL. */
static lp_voice *voice_find(lp_voices *voices, uint32_t slot, uint32_t uid) {
  lp_voice *v = voices->of[slot];
  return v[0].uid == uid ? &v[0] : v[1].uid == uid ? &v[1] : NULL;
}

/* The voice of a clip: a fresh one if need be, in the place of one that is not keep_uid's. */
static lp_voice *voice_of(lp_renderer *r, lp_voices *voices, uint32_t slot, uint32_t uid, uint32_t keep_uid, int64_t position, bool count) {
  lp_voice *v = voice_find(voices, slot, uid);
  if (v) return v;
  v = voices->of[slot];
  if (v[0].uid == keep_uid) v++;
  if (v->gap) lp_gap_end(r, slot, v, position, count);
  *v = (lp_voice){ .uid = uid, .presence = 1.0f };
  return v;
}

/* Presence of a voice at [position, position + n) of the timeline, frame by frame into presence: 0 in holes, down to them and up from them by
 * a slope of one fade length. ahead: frames looked at beyond n. reading: NULL where the source is absent. Returns false, and writes nothing, where it is 1
 * throughout. */
static bool presence_of(lp_renderer *r, const lp_found *f, const lp_reading *reading, lp_voice *v, uint32_t slot, int64_t position, int32_t n,
                        int64_t ahead, bool count, float *presence) {
  const int64_t first = position - f->start;
  const int64_t want = n + ahead;
  /* A fade in is by the cause of the hole before it. */
  uint32_t cause = reading ? v->cause : LP_CAUSE_ABSENT;
  int64_t run = reading ? lp_reading_run(reading, first, want, &cause) : 0;
  int64_t hole_at = run < want ? run : INT64_MAX;
  if (run > 0 && v->gap) lp_gap_end(r, slot, v, position, count);
  if (count) add(hole_at < n ? &r->counts.misses : &r->counts.hits, 1);
  if (hole_at == INT64_MAX && v->presence >= 1.0f) return false;
  v->cause = (uint8_t)cause;

  const float step = 1.0f / (float)r->fade_frames;
  float p = v->presence;
  uint64_t faded = 0;
  int64_t i = 0;
  while (i < n) {
    if (i < hole_at) {
      int64_t end = hole_at < n ? hole_at : n;
      for (; i < end; i++) {
        p = p + step < 1.0f ? p + step : 1.0f;
        if (hole_at != INT64_MAX) {
          float down = (float)(hole_at - i) * step;
          if (down < p) p = down;
        }
        presence[i] = p;
        faded += p < 1.0f;
      }
      continue;
    }
    int64_t lacks = lp_clip_spot(f->clip, first + i).frame;
    int64_t hole = reading ? lp_reading_hole(reading, first + i, n - i, &lacks) : n - i;
    if (hole > 0) {
      if (!v->gap || v->filled_by != LP_FILLED_BY_SILENCE) {
        v->cause = (uint8_t)cause;
        lp_gap_begin(r, slot, f->clip, lacks, v, position + i, LP_FILLED_BY_SILENCE, count);
      }
      v->gap_frames += hole;
      if (count) {
        const uint32_t by = cause < LP_CAUSES ? cause : 0;
        add(&r->counts.missing[by], (uint64_t)hole);
        add(&r->counts.track_missing[slot][by], (uint64_t)hole);
      }
      memset(presence + i, 0, (size_t)hole * sizeof *presence);
      p = 0.0f;
      i += hole;
    }
    if (i >= n) break;
    run = lp_reading_run(reading, first + i, want - i, &cause);
    hole_at = run < want - i ? i + run : INT64_MAX;
    if (run > 0 && v->gap) lp_gap_end(r, slot, v, position + i, count);
  }
  v->presence = p;
  v->proxy = 0;
  if (count && faded) {
    const uint32_t by = cause < LP_CAUSES ? cause : 0;
    add(&r->counts.faded[by], faded);
    add(&r->counts.track_faded[slot][by], faded);
  }
  return true;
}

static void add_scaled(float *restrict out, const float *restrict in, float g, int32_t n) {
  for (int32_t i = 0; i < n; i++) out[i] += in[i] * g;
}
static void add_shaped(float *restrict out, const float *restrict in, const float *restrict g, int32_t n) {
  for (int32_t i = 0; i < n; i++) out[i] += in[i] * g[i];
}

/* Adds one clip at [position, position + n), as much as is read in one go; env: its envelope, NULL if 1. The clip covers the whole range. */
static void clip_render(lp_renderer *r, const lp_found *f, uint32_t slot, lp_voices *voices, uint32_t keep_uid, int64_t position, int32_t n,
                        int64_t limit, bool count, const float *env, float *left, float *right) {
  lp_voice *v = voice_of(r, voices, slot, f->clip->uid, keep_uid, position, count);
  /* Look one fade length ahead, but not beyond the clip's end or the head's next jump: what lies there will not sound. */
  int64_t ahead = f->end - position - n;
  if (limit - n < ahead) ahead = limit - n;
  if (ahead > r->fade_frames) ahead = r->fade_frames;
  if (ahead < 0) ahead = 0;
  const lp_source *s = f->clip->source;
  const int64_t first = position - f->start;
  /* One look answers what is there and gives it: a page that goes meanwhile is still read, one that comes is not there yet. */
  lp_reading reading;
  if (s) lp_reading_look(&reading, f->clip, s, first, n, ahead);
  lp_stand_in stand_in;
  const lp_source *proxy = s ? lp_proxy_of(r, s) : NULL;
  const bool stands_in = proxy && lp_proxy_look(r, f, proxy, &reading, v, slot, position, n, ahead, count, &stand_in);
  bool ramped = !stands_in && presence_of(r, f, s ? &reading : NULL, v, slot, position, n, ahead, count, r->presence);
  if (v->gap && position + n == f->end) lp_gap_end(r, slot, v, f->end, count);
  if (!s || lp_reading_is_beyond(&reading, first, n)) return; /* beyond the source is silence */

  float store[2][LP_BLOCK], *sides[2];
  if (stands_in) lp_proxy_read(r, &stand_in, first, n);
  lp_reading_sides(r, &reading, first, n, store, sides);
  if (stands_in) {
    lp_proxy_blend(&stand_in, n, sides, store);
    sides[0] = store[0];
    sides[1] = store[1];
  }
  const float gain = f->clip->gain;
  if (!env && !ramped) {
    add_scaled(left, sides[0], gain, n);
    add_scaled(right, sides[1], gain, n);
    return;
  }
  float g[LP_BLOCK];
  for (int32_t i = 0; i < n; i++) g[i] = env ? gain * env[i] : gain;
  if (ramped)
    for (int32_t i = 0; i < n; i++) g[i] *= r->presence[i];
  add_shaped(left, sides[0], g, n);
  add_shaped(right, sides[1], g, n);
}

/* The same, in as many pieces as it takes. */
static void clip_add(lp_renderer *r, const lp_found *f, uint32_t slot, lp_voices *voices, uint32_t keep_uid, int64_t position, int32_t n, int64_t limit,
                     bool count, const float *env, float *left, float *right) {
  if (f->clip->shapes & LP_SHAPE_SILENT) return;
  const int32_t most = lp_reading_most(f->clip);
  for (int32_t at = 0; at < n; at += most) {
    const int32_t m = n - at < most ? n - at : most;
    clip_render(r, f, slot, voices, keep_uid, position + at, m, limit - at, count, env ? env + at : NULL, left + at, right + at);
  }
}

/* Of a crowd, the last ones in order were kept. If two of them are there throughout, the others are not heard. */
static bool enough(const lp_found *live, int64_t position, int32_t n) {
  int throughout = 0;
  for (int i = 0; i < LP_LIVE; i++) throughout += live[i].start <= position && live[i].end >= position + n;
  return throughout > 1;
}

void lp_track_render(lp_renderer *r, const lp_content *content, uint32_t slot, lp_voices *voices, int64_t position, int32_t n, int64_t limit,
                     bool count, float *left, float *right) {
  lp_found live[LP_LIVE];
  /* What sinks away plays from a content of the past, beside the one that the cursor is in. */
  uint32_t found = count ? lp_track_cursor_find(&r->cursors[slot], content, position, position + n, live, LP_LIVE)
                         : lp_content_find(content, position, position + n, live, LP_LIVE);
  if (!found) return;
  if (found == LP_LIVE && n > 1 && !enough(live, position, n)) {
    /* Too many to look at in one go: part by part. At a single frame the last ones in order are all that can sound. */
    int32_t half = n / 2;
    lp_track_render(r, content, slot, voices, position, half, limit, count, left, right);
    lp_track_render(r, content, slot, voices, position + half, n - half, limit - half, count, left + half, right + half);
    return;
  }
  const int64_t to = position + n;
  for (int64_t at = position; at < to;) {
    /* Up to the next edge, the same clips are there. */
    int64_t next = to;
    int top = -1, under = -1;
    for (uint32_t i = 0; i < found; i++) {
      const lp_found *f = &live[i];
      if (f->start > at) {
        if (f->start < next) next = f->start;
        continue;
      }
      if (f->end <= at) continue;
      if (f->end < next) next = f->end;
      under = top;
      top = (int)i;
    }
    int32_t m = (int32_t)(next - at);
    if (top >= 0) {
      int64_t offset = at - position;
      const lp_found *t = &live[top];
      edges te = edges_of(content, t);
      if (under >= 0) {
        const lp_found *u = &live[under];
        edges ue = edges_of(content, u);
        float *env = r->envelope;
        bool set = own_envelope(u, &ue, at, m, env);
        if (cover_envelope(u, t, &te, at, m, env, set) != COVER_ALL) {
          clip_add(r, u, slot, voices, t->clip->uid, at, m, limit - offset, count, env, left + offset, right + offset);
        } else {
          lp_voice *hidden = voice_find(voices, slot, u->clip->uid);
          if (hidden && hidden->gap) lp_gap_end(r, slot, hidden, at, count);
        }
      }
      bool shaped = own_envelope(t, &te, at, m, r->envelope);
      clip_add(r, t, slot, voices, under >= 0 ? live[under].clip->uid : 0, at, m, limit - offset, count, shaped ? r->envelope : NULL,
                  left + offset, right + offset);
    }
    at = next;
  }
}
