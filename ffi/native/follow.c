/* The follower: derives from snapshot and head which pages are due, wants them, and opens gates. It runs without JavaScript.
 *
 * A pass gathers the heads of all renderers: of each the one that sounds, and the one of its newest publication. Then, each for all
 * heads, realtime ones first, it wants pages until the budget (nine tenths of what windows leave) is reached:
 *   1. The voices at the heads: two pages each, or none (admission.c). Then those of muted tracks.
 *   2. The walk: each head is moved forward in time, loop wraps included, and the pages of every clip that it meets are wanted, nearest first,
 *      up to 10 s (follow_walk.c). Muted tracks are walked after the others.
 *   3. What is read further ahead, since it comes late (readahead.h).
 *   4. What lies just behind the heads.
 *   5. What playback has passed is given up.
 *   6. Anticipation goes on with what is left (anticipate.h).
 * A pass looks at every page of the horizon, so there are no more of them than it takes: while all is there that is due within half of the horizon held, one
 * for each quarter of it. Reads then take several pages of a voice at once, too. A read that fails brings the next pass forward (engine.c).
 * So an offline renderer cannot take the pages of what plays, nor what plays the last two pages a voice of an offline one.
 *
 * What degrades first. Where memory is short, what is wanted last goes without first, and what is there for it is evicted first:
 *   1. anticipation, far before near, save in the tenth that heads never take;
 *   2. what lies behind the heads;
 *   3. read-ahead beyond 10 s;
 *   4. read-ahead of muted tracks;
 *   5. read-ahead of what is heard, down to two pages a voice; sources that come late keep up to three times as much of it;
 *   6. the two pages of muted voices;
 *   7. own pages: a new voice's proxy sounds instead;
 *   8. voices: new ones are refused, and of those that sound the last in order of tracks.
 * From 7 on only what is heard has pages. Windows are refused when they are asked for, beyond eight tenths of all (window.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "anticipate.h"
#include "follow_internal.h"
#include "proxy.h"
#include "window.h"

#define PASS_NS 20000000ull /* between passes while something plays, at least */
#define LONG_PASS_NS 500000000ull /* and at most */
#define PASSES_A_HORIZON 4
#define MOST_NEAR_NS 1000000000ull
#define NEAR_PASS_NS 50000000ull /* while a proxy may be needed soon */
#define IDLE_NS 200000000ull
#define SEEN_MIN 1024u
#define SEEN_MAX (1u << 24)
#define SEEN_PROBES 64
/* Consecutive pages of a source stand side by side. */
#define SEEN_RUN 8u
/* A head whose place and time differ from what they were by no more keeps its deadlines: what was wanted in one pass has the same rank in the next. */
#define STEADY_NS 12000000
#define MOST_NS 4e18
/* Deadlines are whole numbers of this, about a millisecond: sums that are rounded on different ways are equal. */
#define DEADLINE_BITS 20

struct lp_follow *lp_follow_create(lp_engine *e) {
  struct lp_follow *f = calloc(1, sizeof *f);
  if (!f) return NULL;
  f->engine = e;
  f->held_ns = UINT64_MAX;
  uint32_t size = SEEN_MIN;
  while (size < lp_store_units(e->store) * 2ull && size < SEEN_MAX) size *= 2;
  f->mask = size - 1;
  f->table = calloc(size, sizeof *f->table);
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

/* ---- wanting ------------------------------------------------------------------------------------------------------------- */

/* What is due soon is begun at once. For the rest the pass is waited for, so that adjacent pages, which it meets one slice after the other, are one read. */
void lp_follow_flush(struct lp_follow *f) {
  bool soon = f->near_ns == 0;
  for (uint32_t i = 0; i < f->batched; i++) soon = soon || f->batch[i].deadline_ns < f->now_ns + f->near_ns;
  uint32_t missing = 0;
  if (f->batched && soon) lp_store_want(f->engine->store, f->origin, f->batch, f->batched, &missing);
  else if (f->batched) lp_store_want_later(f->engine->store, f->origin, f->batch, f->batched);
  f->later = f->later || (f->batched && !soon);
  f->batched = 0;
  f->missing += missing;
}

/* Was the page wanted in this pass? If not: the place to note it, NULL if there is none near. */
static bool is_seen(struct lp_follow *f, const lp_source *s, int64_t page, lp_seen **place) {
  const uint64_t run = (uint64_t)page / SEEN_RUN;
  uint32_t i = (lp_source_hash(s, run) * SEEN_RUN + (uint32_t)((uint64_t)page % SEEN_RUN)) & f->mask;
  *place = NULL;
  for (uint32_t probes = 0; probes < SEEN_PROBES; probes++, i = (i + SEEN_RUN) & f->mask) {
    lp_seen *e = &f->table[i];
    if (e->pass != f->pass) {
      *place = e;
      return false;
    }
    if (e->source == s && e->page == page) return true;
  }
  return false; /* crowded: it is wanted again rather than forgotten */
}

/* Wants one page. False when the budget is used up. */
static bool want_page(struct lp_follow *f, lp_source *s, int64_t page, int32_t first_frame, uint64_t due_ns, uint8_t tier) {
  lp_seen *place;
  if (is_seen(f, s, page, &place)) return true;
  /* What windows hold is not of the budget, and costs nothing: that is looked up for voices, and where it decides. */
  const bool over = f->units + s->channels > f->most, held = (over || f->admits) && lp_window_holds(f->engine->store, s, page);
  if (over && !held) return false;
  if (place) *place = (lp_seen){ s, page, f->pass };
  if (!held) f->units += s->channels;
  if (f->counts && !lp_anticipate_lists(f->engine->anticipate, s, page)) f->beside += s->channels;
  const uint64_t deadline_ns = (due_ns + (1u << (DEADLINE_BITS - 1))) >> DEADLINE_BITS << DEADLINE_BITS;
  f->batch[f->batched++] = (lp_want){ s, page, first_frame, tier, deadline_ns, tier == LP_TIER_REALTIME || f->measures };
  if (f->batched == LP_WANT_BATCH) lp_follow_flush(f);
  return true;
}

bool lp_follow_want(struct lp_follow *f, lp_source *s, lp_course course, uint64_t due_ns, uint8_t tier) {
  course = lp_course_within(course, s);
  const double ns_a_frame = 1e9 / (double)f->engine->sample_rate;
  lp_span part;
  for (lp_course_walk w = lp_course_begin(&course, s); lp_course_next(&w, &part);) {
    const int64_t page = part.from >> s->page_shift;
    /* Backwards all of a page is needed up to where it is entered. */
    const int32_t first = course.speed < 0 ? 0 : (int32_t)(part.from - (page << s->page_shift));
    const uint64_t due = due_ns + (uint64_t)(lp_course_frames(&course, lp_course_first(&course, &part)) * ns_a_frame);
    if (!want_page(f, s, page, first, due, tier)) return false;
  }
  return true;
}

bool lp_follow_fits(struct lp_follow *f, const lp_source *s, lp_course course, uint64_t reserved) {
  course = lp_course_within(course, s);
  uint64_t units = 0;
  lp_span part;
  for (lp_course_walk w = lp_course_begin(&course, s); lp_course_next(&w, &part);) {
    const int64_t page = part.from >> s->page_shift;
    lp_seen *place;
    if (!is_seen(f, s, page, &place) && !lp_window_holds(f->engine->store, s, page)) units += s->channels;
  }
  return f->units + units + reserved <= f->most;
}

/* What playback has passed goes first when room is needed: what ended since the pass before, however long ago that was. */
static void pass_behind(struct lp_follow *f, const lp_snapshot *s, const lp_head *head) {
  const double rate = (double)f->engine->sample_rate;
  const int64_t at = head->position - (int64_t)(LP_BEHIND_MS * rate / 1000);
  const int64_t since = at - (int64_t)((double)(2 * LONG_PASS_NS) * rate / 1e9);
  for (uint32_t t = 0; t < s->count; t++) {
    lp_found c;
    for (lp_walk w = lp_content_walk(s->tracks[t].content, since, at + 1); lp_walk_next(&w, &c);) {
      lp_source *source = c.clip->source;
      if (!source) continue;
      /* Of pages those that lie behind what the first and the last of these frames need: a page is passed only when the next one is entered. */
      const int64_t a = (c.start > since ? c.start : since) - c.start, b = (c.end < at + 1 ? c.end : at + 1) - c.start;
      const lp_span begin = lp_clip_span(c.clip, a, a + 1), end = lp_clip_span(c.clip, b - 1, b);
      const bool backwards = c.clip->step < 0;
      int64_t first = backwards ? ((end.to - 1) >> source->page_shift) + 1 : (begin.from >> source->page_shift) - 1;
      int64_t last = backwards ? ((begin.to - 1) >> source->page_shift) + 1 : (end.from >> source->page_shift) - 1;
      if (first < 0) first = 0;
      if (last >= source->pages) last = source->pages - 1;
      for (; first <= last; first++) lp_store_passed(f->engine->store, source, first);
    }
  }
}

void lp_follow_flush_near(struct lp_follow *f) {
  lp_follow_flush(f);
  f->lacking += f->missing;
  f->missing = 0;
}

/* ---- a pass --------------------------------------------------------------------------------------------------------------- */

/* Gathers the heads of a renderer, newest publication first: it is what the gate's 30 ms hang on. Returns ns until the gate's deadline. References are
 * taken under the lock, the walk goes without it: a publish never waits for a walk. */
static uint64_t begin(lp_renderer *r, uint64_t now_ns) {
  pthread_mutex_lock(&r->lock);
  uint64_t gate = lp_gate_try(r);
  lp_publications_collect(r);
  double record[16];
  lp_record_read(r, record);
  lp_followed *d = &r->followed;
  d->heads[0] = lp_head_predict(r, r->newest);
  d->snapshots[0] = r->newest->snapshot;
  d->count = 1;
  d->moved = r->newest->number != d->number;
  d->number = r->newest->number;
  for (lp_publication *p = r->oldest; p != r->newest; p = p->next)
    if (p->number == (uint64_t)record[10]) {
      d->heads[1] = lp_head_predict(r, NULL);
      d->snapshots[1] = p->snapshot;
      d->count = 2;
      break;
    }
  for (uint32_t i = 0; i < d->count; i++) {
    lp_snapshot_ref(d->snapshots[i]);
    /* A frame may stand further than time counts. */
    const int64_t at_ns = (int64_t)fmin((double)d->heads[i].position * 1e9 / r->rate, MOST_NS), begun_ns = (int64_t)now_ns - at_ns;
    if (begun_ns - d->begun_ns[i] > STEADY_NS || d->begun_ns[i] - begun_ns > STEADY_NS) d->begun_ns[i] = begun_ns;
    d->due_ns[i] = d->begun_ns[i] + at_ns > 0 ? (uint64_t)(d->begun_ns[i] + at_ns) : 0;
  }
  d->fading = NULL;
  d->fading_at = (int64_t)record[11];
  d->fading_frames = (int64_t)record[13];
  /* Acquire: as lp_publications_collect. What fades out is the oldest in use. */
  const uint64_t in_use = atomic_load_explicit(&r->oldest_in_use, memory_order_acquire);
  for (lp_publication *p = r->oldest; p && d->fading_frames > 0 && d->fading_at >= 0 && in_use < (uint64_t)record[10]; p = p->next)
    if (p->number == in_use) {
      d->fading = p->snapshot;
      lp_snapshot_ref(d->fading);
      break;
    }
  pthread_mutex_unlock(&r->lock);
  lp_admission_begin(r);
  /* Both move on, so that what only an older snapshot wanted goes stale. */
  atomic_fetch_add_explicit(&r->origin.tick, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&r->candidate_origin.tick, 1, memory_order_relaxed);
  return gate;
}

static void end(lp_renderer *r) {
  lp_admission_end(r);
  /* After a seek or an edit, what is wanted no more does not get the room of what is, and plays. A head that pauses may go on. */
  if (r->followed.moved && r->followed.heads[0].state == LP_PLAYING) {
    lp_store_forget_old(r->engine->store, &r->origin);
    lp_store_forget_old(r->engine->store, &r->candidate_origin);
  }
  pthread_mutex_lock(&r->lock);
  for (uint32_t i = 0; i < r->followed.count; i++) lp_snapshot_unref(r->followed.snapshots[i]);
  r->followed.count = 0;
  if (r->followed.fading) lp_snapshot_unref(r->followed.fading);
  r->followed.fading = NULL;
  pthread_mutex_unlock(&r->lock);
}

static uint8_t tier_of(const lp_renderer *r, uint32_t i) {
  return r->followed.heads[i].state == LP_PLAYING && !(r->flags & LP_RENDERER_OFFLINE) ? LP_TIER_REALTIME : LP_TIER_ANTICIPATIVE;
}

enum phase { PHASE_MUTED_VOICES, PHASE_WALK, PHASE_MUTED_WALK, PHASE_BEYOND, PHASE_BEHIND, PHASE_PASSED, PHASES };

static lp_origin *origin_of(lp_renderer *r, uint32_t i) { return i == 0 ? &r->candidate_origin : &r->origin; }

static void note_held(struct lp_follow *f, uint64_t ns) {
  if (ns < f->held_ns) f->held_ns = ns;
}

/* What fades out is heard for a moment longer: its pages stay for as long. */
static void hold_fading(struct lp_follow *f, lp_renderer *r) {
  const lp_followed *d = &r->followed;
  if (!d->fading) return;
  f->origin = &r->origin;
  const int64_t from = d->fading_at, to = from + d->fading_frames;
  for (uint32_t t = 0; t < d->fading->count; t++) {
    if (lp_track_is_muted(&d->fading->tracks[t])) continue;
    lp_found c;
    for (lp_walk w = lp_content_walk(d->fading->tracks[t].content, from, to); lp_walk_next(&w, &c);) {
      const int64_t a = c.start > from ? c.start : from, b = c.end < to ? c.end : to;
      if (c.clip->source) (void)lp_follow_want(f, c.clip->source, lp_clip_course(c.clip, a - c.start, b - c.start), f->now_ns, LP_TIER_REALTIME);
    }
  }
  lp_follow_flush(f);
}

static void follow_head(struct lp_follow *f, lp_renderer *r, uint32_t i, enum phase phase, uint8_t tier) {
  const lp_snapshot *s = r->followed.snapshots[i];
  const lp_head *head = &r->followed.heads[i];
  f->origin = origin_of(r, i);
  f->head_ns = r->followed.due_ns[i];
  const bool muted = phase == PHASE_MUTED_VOICES || phase == PHASE_MUTED_WALK;
  if (muted && r->flags & LP_RENDERER_OFFLINE) return; /* nobody will unmute them */
  /* Before anybody reads ahead, everybody plays. */
  const bool crowded = f->refused_playing || f->stood_in;
  if (crowded && phase != PHASE_WALK && phase != PHASE_PASSED) return;
  switch (phase) {
    case PHASE_MUTED_VOICES:
      lp_admit_muted(f, s, head, tier);
      lp_follow_flush_near(f);
      break;
    case PHASE_WALK: {
      if (crowded) {
        if (tier == LP_TIER_REALTIME) note_held(f, 0);
        break;
      }
      /* While one waits at the gate or fades in, what sounds before it keeps a share. */
      const uint64_t most = f->most;
      if (i == 0 && r->followed.count > 1) f->most = f->units + (f->most - f->units) / 2;
      uint64_t held = lp_follow_walk(f, s, head, false, tier);
      f->most = most;
      /* Of the two pages that every voice has got, one at least lies ahead as a whole. */
      const uint64_t page_ns = lp_follow_page_ns(f);
      if (tier == LP_TIER_REALTIME) note_held(f, held < page_ns ? page_ns : held);
      break;
    }
    case PHASE_MUTED_WALK: (void)lp_follow_walk(f, s, head, true, LP_TIER_ANTICIPATIVE); break;
    case PHASE_BEYOND: {
      const uint64_t beyond = tier == LP_TIER_REALTIME ? lp_follow_walk_beyond(f, s, head) : 0;
      if (beyond > f->beyond_ns) f->beyond_ns = beyond;
      break;
    }
    case PHASE_BEHIND:
      if (tier == LP_TIER_REALTIME) lp_follow_walk_behind(f, s, head);
      break;
    default: /* after all that is wanted is marked: what another head is due to play stays */
      if (head->state == LP_PLAYING) pass_behind(f, s, head);
      break;
  }
}

static void admit_voices(struct lp_follow *f, lp_renderer *first) {
  f->admits = true;
  for (uint8_t tier = LP_TIER_REALTIME; tier <= LP_TIER_ANTICIPATIVE; tier++) {
    f->new_units = 0;
    for (int step = 0; step < LP_ADMISSIONS; step++)
      for (lp_renderer *r = first; r; r = r->next)
        for (uint32_t i = 0; i < r->followed.count; i++) {
          if (tier_of(r, i) != tier) continue;
          f->origin = origin_of(r, i);
          f->head_ns = r->followed.due_ns[i];
          f->sounds = i + 1 == r->followed.count;
          lp_admit(f, r, r->followed.snapshots[i], &r->followed.heads[i], (enum lp_admission)step, tier);
          lp_follow_flush_near(f);
        }
  }
  f->admits = false;
}

/* When the next pass is due while something plays. Pages that are not there may have been dropped from the queue, or may be tried again. */
static uint64_t pass_ns(const struct lp_follow *f) {
  if (f->lacking || f->held_ns == UINT64_MAX) return PASS_NS;
  const uint64_t ns = f->held_ns / PASSES_A_HORIZON, most = f->nears_slow ? NEAR_PASS_NS : LONG_PASS_NS;
  return ns < PASS_NS ? PASS_NS : ns > most ? most : ns;
}

static uint32_t highest(uint32_t bits) {
  uint32_t n = 0;
  while (bits >>= 1) n++;
  return n;
}

uint64_t lp_follow_pass(struct lp_follow *f) {
  lp_engine *e = f->engine;
  /* Whoever closes a renderer waits for the pass; the control thread, which makes one, does not. */
  pthread_mutex_lock(&e->pass_lock);
  pthread_mutex_lock(&e->lock);
  lp_renderer *const first = e->renderers;
  pthread_mutex_unlock(&e->lock);
  lp_proxies_collect(e->store);
  f->pass++;
  f->units = f->reserved = 0;
  f->refused = f->refused_playing = f->stood_in = 0;
  f->missing = f->lacking = 0;
  f->beside = 0;
  /* What windows hold cannot be had. */
  f->most = (uint64_t)(lp_store_units(e->store) - lp_window_units(e->store)) * 9 / 10;
  f->last_ns = f->now_ns;
  f->last_held_ns = f->held_ns;
  f->last_beyond_ns = f->beyond_ns;
  f->beyond_ns = 0;
  f->now_ns = lp_engine_now_ns(e);
  f->stalled = lp_store_stalled(e->store);
  f->levels = f->next_levels | 1;
  f->next_levels = f->slow = 0;
  f->nears_slow = false;
  f->counts = lp_anticipate_is_due(e->anticipate, f->now_ns);
  f->held_ns = UINT64_MAX;
  uint64_t next = UINT64_MAX;
  bool playing = false;
  for (lp_renderer *r = first; r; r = r->next) {
    uint64_t due = begin(r, f->now_ns);
    if (due < next) next = due;
    for (uint32_t i = 0; i < r->followed.count; i++) playing = playing || r->followed.heads[i].state == LP_PLAYING;
  }
  admit_voices(f, first);
  for (lp_renderer *r = first; r; r = r->next) hold_fading(f, r);
  for (int phase = 0; phase < PHASES; phase++)
    for (uint8_t tier = LP_TIER_REALTIME; tier <= LP_TIER_ANTICIPATIVE; tier++)
      for (lp_renderer *r = first; r; r = r->next)
        for (uint32_t i = 0; i < r->followed.count; i++)
          if (tier_of(r, i) == tier) follow_head(f, r, i, (enum phase)phase, tier);
  if (f->later) lp_store_begin(e->store);
  f->later = false;
  for (lp_renderer *r = first; r; r = r->next) end(r);
  lp_store_set_voices_refused(e->store, f->refused);
  lp_store_set_supply(e->store, (double)lp_readahead_ns(highest(f->next_levels)) / 1e6, f->slow);
  if (f->held_ns != UINT64_MAX) lp_store_set_horizon_ms(e->store, (double)f->held_ns / 1e6);
  f->near_ns = f->held_ns == UINT64_MAX ? 0 : f->held_ns / 2 < MOST_NEAR_NS ? f->held_ns / 2 : MOST_NEAR_NS;
  const uint64_t due = playing ? pass_ns(f) : IDLE_NS;
  if (due < next) next = due;
  const uint64_t again = lp_anticipate_pass(e->anticipate, f->counts ? f->beside : UINT64_MAX, f->now_ns);
  pthread_mutex_unlock(&e->pass_lock);
  return again < next ? again : next;
}

/* ---- what is there -------------------------------------------------------------------------------------------------------- */

/* Frames of source frames [from, to) that are not there and may come. */
static int64_t frames_missing(const lp_source *s, int64_t from, int64_t to) {
  int64_t missing = 0;
  while (from < to) {
    uint32_t cause = LP_CAUSE_QUEUE;
    from += lp_source_run(s, from, to - from, &cause);
    if (from >= to) break;
    int64_t hole = lp_source_hole(s, from, to - from);
    if (cause != LP_CAUSE_ABSENT) missing += hole;
    from += hole; /* 0: a page came between the two looks */
  }
  return missing;
}

/* Visits what the tracks that are heard play in the next n frames of the head, its loop followed, as source frames [from, to), until a visit says false. What
 * is absent there is nothing to wait for. */
static void each_heard(const lp_snapshot *s, lp_head head, int64_t n, bool (*visit)(void *context, lp_source *source, int64_t from, int64_t to), void *context) {
  for (uint32_t wraps = 0; n > 0 && wraps < 2;) {
    const int64_t m = lp_head_span(&head, n);
    for (uint32_t t = 0; t < s->count; t++) {
      if (lp_track_is_muted(&s->tracks[t])) continue;
      lp_found c;
      for (lp_walk w = lp_content_walk(s->tracks[t].content, head.position, head.position + m); lp_walk_next(&w, &c);) {
        if (!c.clip->source) continue;
        const int64_t a = c.start > head.position ? c.start : head.position, b = c.end < head.position + m ? c.end : head.position + m;
        const lp_span span = lp_clip_span(c.clip, a - c.start, b - c.start);
        if (!visit(context, c.clip->source, span.from, span.to)) return;
      }
    }
    const enum lp_jump jump = lp_head_advance(&head, m);
    if (jump == LP_JUMP_END) break;
    if (jump == LP_JUMP_WRAP) wraps++;
    n -= m;
  }
}

typedef struct lack {
  int64_t missing, enough;
} lack;

static bool count_missing(void *context, lp_source *source, int64_t from, int64_t to) {
  lack *l = context;
  l->missing += frames_missing(source, from, to);
  return l->missing < l->enough;
}

int64_t lp_span_missing(const lp_snapshot *s, lp_head head, int64_t n, int64_t enough) {
  lack l = { .enough = enough };
  each_heard(s, head, n, count_missing, &l);
  return l.missing;
}

typedef struct wanted {
  lp_store *store;
  lp_origin *origin;
  uint64_t due_ns;
  uint32_t count;
  lp_want batch[LP_WANT_BATCH];
} wanted;

static void hand_over(wanted *w) {
  if (w->count) lp_store_want(w->store, w->origin, w->batch, w->count, NULL);
  w->count = 0;
}

static bool gather(void *context, lp_source *s, int64_t from, int64_t to) {
  wanted *w = context;
  if (from < 0) from = 0;
  if (to > s->frames) to = s->frames;
  for (int64_t page = from >> s->page_shift; page << s->page_shift < to; page++) {
    const int64_t begin = page << s->page_shift;
    w->batch[w->count++] = (lp_want){ s, page, from > begin ? (int32_t)(from - begin) : 0, LP_TIER_REALTIME, w->due_ns, false };
    if (w->count == LP_WANT_BATCH) hand_over(w);
  }
  return true;
}

void lp_span_want(lp_store *store, lp_origin *origin, const lp_snapshot *s, lp_head head, int64_t n, uint64_t due_ns) {
  wanted w = { .store = store, .origin = origin, .due_ns = due_ns };
  each_heard(s, head, n, gather, &w);
  hand_over(&w);
}
