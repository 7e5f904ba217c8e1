/* The follower: derives from snapshot and head which pages are due, wants them, and opens gates. It runs without JavaScript.
 *
 * A pass walks each renderer's head forward in time, loop wraps included, and wants the pages of every clip it meets, nearest first, until
 * the horizon (10 s) or the budget's share is reached. Voices that sound at the head come first, two pages each, in order of tracks: one
 * for which two pages no longer fit is refused, and counted, rather than all starved.
 */
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"

#define HORIZON_NS 10000000000ull
#define SLICE_MS 250.0
#define BEHIND_MS 300.0
#define PASS_NS 20000000ull /* between passes while something plays */
#define IDLE_NS 200000000ull
#define BATCH 64
#define SEEN_BITS 17u

typedef struct seen {
  lp_source *source;
  int64_t page;
  uint32_t pass;
} seen;

struct lp_follow {
  lp_engine *engine;
  seen *table;          /* pages wanted in this pass */
  uint32_t pass;
  uint64_t units, most; /* wanted in this pass, allowed */
  uint32_t refused;
  uint64_t now_ns;
  lp_origin *origin;
  lp_want batch[BATCH];
  uint32_t batched;
  uint32_t missing;
};

struct lp_follow *lp_follow_create(lp_engine *e) {
  struct lp_follow *f = calloc(1, sizeof *f);
  if (!f) return NULL;
  f->engine = e;
  f->table = calloc((size_t)1 << SEEN_BITS, sizeof *f->table);
  if (!f->table) {
    free(f);
    return NULL;
  }
  return f;
}

void lp_follow_destroy(struct lp_follow *f) {
  if (!f) return;
  free(f->table);
  free(f);
}

static void flush(struct lp_follow *f) {
  if (f->batched) lp_store_want(f->engine->store, f->origin, f->batch, f->batched, NULL);
  f->batched = 0;
}

/* True the first time a page is met in a pass. */
static bool first_sight(struct lp_follow *f, lp_source *s, int64_t page) {
  uint64_t h = ((uint64_t)(uintptr_t)s >> 6) * 0x9E3779B97F4A7C15ull ^ (uint64_t)page * 0xC2B2AE3D27D4EB4Full;
  const uint32_t mask = (1u << SEEN_BITS) - 1;
  uint32_t i = (uint32_t)(h >> 40) & mask;
  for (uint32_t probes = 0; probes < 64; probes++, i = (i + 1) & mask) {
    seen *e = &f->table[i];
    if (e->pass != f->pass) {
      *e = (seen){ s, page, f->pass };
      return true;
    }
    if (e->source == s && e->page == page) return false;
  }
  return true; /* crowded: want it again rather than forget it */
}

/* Wants one page. False when the budget's share is used up. */
static bool want_page(struct lp_follow *f, lp_source *s, int64_t page, int32_t first_frame, uint64_t due_ns, uint8_t tier) {
  if (!first_sight(f, s, page)) return true;
  if (f->units + s->channels > f->most) return false;
  f->units += s->channels;
  f->batch[f->batched++] = (lp_want){ s, page, first_frame, tier, due_ns };
  if (f->batched == BATCH) flush(f);
  return true;
}

/* Wants source frames [from, to), the first of them needed at due_ns. */
static bool want_frames(struct lp_follow *f, lp_source *s, int64_t from, int64_t to, uint64_t due_ns, uint8_t tier) {
  if (from < 0) from = 0;
  if (to > s->frames) to = s->frames;
  const double ns_a_frame = 1e9 / (double)f->engine->sample_rate;
  for (int64_t at = from; at < to;) {
    int64_t page = at >> s->page_shift;
    int64_t begin = page << s->page_shift;
    if (!want_page(f, s, page, (int32_t)(at - begin), due_ns + (uint64_t)((double)(at - from) * ns_a_frame), tier)) return false;
    at = begin + s->page_frames;
  }
  return true;
}

/* Wants what a track plays in [from, to) of the timeline. */
static bool want_track(struct lp_follow *f, const lp_content *content, int64_t from, int64_t to, uint64_t due_ns, uint8_t tier) {
  const double ns_a_frame = 1e9 / (double)f->engine->sample_rate;
  lp_found found[LP_LIVE];
  uint32_t n = lp_content_find(content, from, to, found, LP_LIVE);
  if (n == LP_LIVE && to - from > 1) { /* more clips than are looked at in one go: nearer ones first */
    int64_t middle = from + (to - from) / 2;
    return want_track(f, content, from, middle, due_ns, tier) &&
           want_track(f, content, middle, to, due_ns + (uint64_t)((double)(middle - from) * ns_a_frame), tier);
  }
  for (uint32_t i = 0; i < n; i++) {
    const lp_found *c = &found[i];
    if (!c->clip->source) continue;
    int64_t a = c->start > from ? c->start : from, b = c->end < to ? c->end : to;
    if (!want_frames(f, c->clip->source, c->clip->first + (a - c->start), c->clip->first + (b - c->start),
                     due_ns + (uint64_t)((double)(a - from) * ns_a_frame), tier))
      return false;
  }
  return true;
}

/* Wants what the snapshot plays in [from, to) of the timeline. */
static bool want_span(struct lp_follow *f, const lp_snapshot *s, int64_t from, int64_t to, uint64_t due_ns, uint8_t tier) {
  for (uint32_t t = 0; t < s->count; t++)
    if (!want_track(f, s->tracks[t].content, from, to, due_ns, tier)) return false;
  return true;
}

/* The voices at the head first: two pages each or none. */
static void want_voices(struct lp_follow *f, const lp_snapshot *s, const lp_head *head, uint8_t tier) {
  for (uint32_t t = 0; t < s->count; t++) {
    lp_found found[LP_LIVE];
    uint32_t n = lp_content_find(s->tracks[t].content, head->position, head->position + 1, found, LP_LIVE);
    for (uint32_t i = n > 2 ? n - 2 : 0; i < n; i++) {
      lp_source *source = found[i].clip->source;
      if (!source) continue;
      int64_t at = found[i].clip->first + (head->position - found[i].start);
      int64_t end = found[i].clip->first + found[i].clip->length;
      int64_t to = (((at < 0 ? 0 : at) >> source->page_shift) + 2) << source->page_shift;
      if (to > end) to = end;
      if (f->units + 2 * source->channels > f->most) {
        f->refused++;
        continue;
      }
      want_frames(f, source, at, to, f->now_ns, tier);
    }
  }
}

/* What playback has passed goes first when room is needed. */
static void pass_behind(struct lp_follow *f, const lp_snapshot *s, const lp_head *head, int64_t behind) {
  for (uint32_t t = 0; t < s->count; t++) {
    lp_found found[LP_LIVE];
    int64_t at = head->position - behind;
    uint32_t n = lp_content_find(s->tracks[t].content, at, at + 1, found, LP_LIVE);
    for (uint32_t i = 0; i < n; i++) {
      lp_source *source = found[i].clip->source;
      int64_t frame = found[i].clip->first + (at - found[i].start);
      if (source && frame >= source->page_frames && frame < source->frames + source->page_frames)
        lp_store_passed(f->engine->store, source, (frame >> source->page_shift) - 1);
    }
  }
}

/* Walks one head. Returns how far the horizon reaches, in ns. */
static uint64_t walk(struct lp_follow *f, const lp_snapshot *s, lp_head head, uint8_t tier) {
  const double rate = (double)f->engine->sample_rate;
  const int64_t slice = (int64_t)(SLICE_MS * rate / 1000);
  const int64_t behind = (int64_t)(BEHIND_MS * rate / 1000);
  const lp_head start = head;
  int64_t gone = 0;
  const int64_t horizon = (int64_t)((double)HORIZON_NS / 1e9 * rate);
  bool loop_turned = false;
  uint32_t wraps = 0;
  while (gone < horizon) {
    int64_t n = lp_head_span(&head, slice);
    if (!want_span(f, s, head.position, head.position + n, f->now_ns + (uint64_t)((double)gone * 1e9 / rate), tier)) break;
    int64_t before = head.position;
    lp_head_advance(&head, n);
    gone += n;
    loop_turned = loop_turned || head.position < before;
    if (head.position < before) wraps++;
    if (head.state != LP_PLAYING && start.state == LP_PLAYING) {
      gone = horizon;
      break;
    }
    /* A whole turn of the loop adds nothing new. */
    if (loop_turned && wraps > 1) {
      gone = horizon;
      break;
    }
    if (gone == slice && start.state == LP_PLAYING)
      want_span(f, s, start.position - behind, start.position, f->now_ns + HORIZON_NS, LP_TIER_ANTICIPATIVE);
  }
  flush(f);
  /* After all that is wanted is marked: what another head is due to play stays. */
  if (start.state == LP_PLAYING) pass_behind(f, s, &start, behind);
  return (uint64_t)((double)gone * 1e9 / rate);
}

uint64_t lp_follow_renderer(struct lp_follow *f, lp_renderer *r) {
  /* References are taken under the lock, the walk goes without it: a publish never waits for a walk. */
  pthread_mutex_lock(&r->lock);
  uint64_t gate = lp_gate_try(r);
  lp_publications_collect(r);
  lp_snapshot *snapshots[2] = { NULL, NULL };
  lp_head heads[2];
  double record[16];
  lp_record_read(r, record);
  uint32_t n = 0;
  for (lp_publication *p = r->oldest; p; p = p->next)
    if (p->number == (uint64_t)record[10] && p != r->newest) {
      heads[n] = lp_head_predict(r, NULL);
      snapshots[n] = p->snapshot;
      lp_snapshot_ref(snapshots[n++]);
      break;
    }
  heads[n] = lp_head_predict(r, r->newest);
  snapshots[n] = r->newest->snapshot;
  lp_snapshot_ref(snapshots[n++]);
  pthread_mutex_unlock(&r->lock);

  bool playing = false;
  /* Both move on, so that what only an older snapshot wanted goes stale. */
  atomic_fetch_add_explicit(&r->origin.tick, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&r->candidate_origin.tick, 1, memory_order_relaxed);
  uint8_t tiers[2];
  for (uint32_t i = 0; i < n; i++) {
    bool plays = heads[i].state == LP_PLAYING;
    tiers[i] = plays && !(r->flags & LP_RENDERER_OFFLINE) ? LP_TIER_REALTIME : LP_TIER_ANTICIPATIVE;
    f->origin = i == n - 1 ? &r->candidate_origin : &r->origin;
    want_voices(f, snapshots[i], &heads[i], tiers[i]);
    flush(f);
  }
  /* The newest first while it waits at the gate: it is what the next 30 ms hang on. */
  for (uint32_t k = 0; k < n; k++) {
    uint32_t i = n - 1 - k;
    bool plays = heads[i].state == LP_PLAYING;
    playing = playing || plays;
    uint8_t tier = tiers[i];
    f->origin = i == n - 1 ? &r->candidate_origin : &r->origin;
    uint64_t held = walk(f, snapshots[i], heads[i], tier);
    if (plays && tier == LP_TIER_REALTIME) {
      double ms = (double)held / 1e6;
      lp_store_set_horizon_ms(f->engine->store, ms);
    }
  }
  pthread_mutex_lock(&r->lock);
  for (uint32_t i = 0; i < n; i++) lp_snapshot_unref(snapshots[i]);
  pthread_mutex_unlock(&r->lock);
  uint64_t next = playing ? PASS_NS : IDLE_NS;
  return gate < next ? gate : next;
}

uint64_t lp_follow_pass(struct lp_follow *f) {
  lp_engine *e = f->engine;
  f->pass++;
  f->units = 0;
  f->refused = 0;
  f->most = (uint64_t)lp_store_units(e->store) * 9 / 10;
  f->now_ns = lp_engine_now_ns(e);
  uint64_t next = IDLE_NS;
  /* Held throughout: renderers come and go under it, and the control thread takes it only then. */
  pthread_mutex_lock(&e->lock);
  for (lp_renderer *r = e->renderers; r; r = r->next) {
    uint64_t due = lp_follow_renderer(f, r);
    if (due < next) next = due;
  }
  pthread_mutex_unlock(&e->lock);
  lp_store_set_voices_refused(e->store, f->refused);
  return next;
}

/* As lp_span_resident, for one track and a range without jumps. */
static bool track_resident(const lp_content *content, int64_t from, int64_t to, bool *hopeless) {
  lp_found found[LP_LIVE];
  uint32_t count = lp_content_find(content, from, to, found, LP_LIVE);
  if (count == LP_LIVE && to - from > 1) {
    int64_t middle = from + (to - from) / 2;
    return track_resident(content, from, middle, hopeless) && track_resident(content, middle, to, hopeless);
  }
  for (uint32_t i = 0; i < count; i++) {
    const lp_found *c = &found[i];
    const lp_source *source = c->clip->source;
    if (!source) continue; /* nothing to wait for */
    int64_t a = c->start > from ? c->start : from;
    int64_t b = c->end < to ? c->end : to;
    uint32_t cause = LP_CAUSE_QUEUE;
    if (lp_source_run(source, c->clip->first + (a - c->start), b - a, &cause) >= b - a) continue;
    if (cause != LP_CAUSE_ABSENT) return false;
    if (hopeless) *hopeless = true;
  }
  return true;
}

bool lp_span_resident(const lp_snapshot *s, lp_head head, int64_t n, bool *hopeless) {
  while (n > 0) {
    int64_t m = lp_head_span(&head, n);
    for (uint32_t t = 0; t < s->count; t++)
      if (!track_resident(s->tracks[t].content, head.position, head.position + m, hopeless)) return false;
    lp_head_advance(&head, m);
    if (head.state != LP_PLAYING) return true;
    n -= m;
  }
  return true;
}
