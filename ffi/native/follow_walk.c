/* The walk: a head is moved forward in time, loop wraps included, and the pages of every clip that it meets are wanted, nearest first. */
#include "follow_internal.h"

#define SLICE_MS 250.0

/* Which sources a walk looks at. */
enum which { EVERY = -1, FARTHER = -2 /* those that are read ahead beyond where the walk stands */ }; /* else: those of one level */

typedef struct stride {
  struct lp_follow *f;
  const lp_snapshot *s;
  lp_head head;
  int64_t gone; /* frames */
  uint32_t wraps;
  bool muted, over, behind;
  int which;
  uint8_t tier;
} stride;

static double rate_of(const struct lp_follow *f) { return (double)f->engine->sample_rate; }
static int64_t frames_of(const struct lp_follow *f, double ms) { return (int64_t)(ms * rate_of(f) / 1000); }
static uint64_t ns_of(const struct lp_follow *f, int64_t frames) { return (uint64_t)((double)frames * 1e9 / rate_of(f)); }

/* Wants what the tracks, muted ones or the others, play in [from, to) of the timeline. */
static bool want_span(const stride *w, int64_t from, int64_t to, uint64_t due_ns, uint8_t tier) {
  struct lp_follow *f = w->f;
  for (uint32_t t = 0; t < w->s->count; t++) {
    if (lp_track_is_muted(&w->s->tracks[t]) != w->muted) continue;
    lp_found c;
    for (lp_walk k = lp_content_walk(w->s->tracks[t].content, from, to); lp_walk_next(&k, &c);) {
      lp_source *source = c.clip->source;
      if (!source || (w->behind && source->slow_disk.slow)) continue;
      if (w->which != EVERY) {
        lp_follow_judge(f, source);
        const uint8_t level = source->readahead.level;
        if (w->which == FARTHER ? lp_readahead_ns(level) <= ns_of(f, w->gone) : level != w->which) continue;
      }
      const int64_t a = c.start > from ? c.start : from, b = c.end < to ? c.end : to;
      if (!lp_follow_supply(f, source, lp_clip_course(c.clip, a - c.start, b - c.start), due_ns + ns_of(f, a - from), tier)) return false;
    }
  }
  return true;
}

/* Walks on until `until` frames ahead, wanting or not. False: the budget is used up. */
static bool walk_on(stride *w, int64_t until, bool wants) {
  const int64_t slice = frames_of(w->f, SLICE_MS);
  while (w->gone < until && !w->over) {
    const int64_t left = until - w->gone, n = lp_head_span(&w->head, slice < left ? slice : left);
    if (wants && !want_span(w, w->head.position, w->head.position + n, w->f->head_ns + ns_of(w->f, w->gone), w->tier)) return false;
    const enum lp_jump jump = lp_head_advance(&w->head, n);
    w->gone += n;
    if (wants && ns_of(w->f, w->gone) <= w->f->near_ns && w->tier == LP_TIER_REALTIME) lp_follow_flush_near(w->f);
    if (jump == LP_JUMP_WRAP) w->wraps++;
    /* Nothing comes after the frame to play to; a whole turn of the loop adds nothing new. */
    w->over = jump == LP_JUMP_END || w->wraps > 1;
  }
  return true;
}

uint64_t lp_follow_walk(struct lp_follow *f, const lp_snapshot *s, const lp_head *head, bool muted, uint8_t tier) {
  const int64_t slice = frames_of(f, SLICE_MS), base = frames_of(f, LP_READAHEAD_BASE_NS / 1e6);
  stride of[LP_READAHEAD_LEVELS];
  for (int i = 0; i < LP_READAHEAD_LEVELS; i++)
    of[i] = (stride){ .f = f, .s = s, .head = *head, .muted = muted, .which = muted || tier != LP_TIER_REALTIME ? EVERY : i, .tier = tier };
  const int levels = of[0].which == EVERY ? 1 : LP_READAHEAD_LEVELS;
  bool room = true;
  f->missing = 0;
  /* Who is read further ahead comes further with each slice: where the budget does not suffice for all, what comes late has more of it. */
  for (int64_t until = slice; room && of[0].gone < base && !of[0].over; until += slice)
    for (int i = levels; room && i-- > 0;) {
      if (levels > 1 && !(f->levels >> i & 1) && i > 0) continue;
      const int64_t far = until / 100 * lp_readahead_percent((uint32_t)i);
      room = walk_on(&of[i], far < base ? far : base, true);
    }
  lp_follow_flush(f);
  return of[0].over ? LP_READAHEAD_BASE_NS : ns_of(f, of[0].gone);
}

uint64_t lp_follow_walk_beyond(struct lp_follow *f, const lp_snapshot *s, const lp_head *head) {
  if (!(f->levels & ~1u)) return 0;
  stride w = { .f = f, .s = s, .head = *head, .which = FARTHER, .tier = LP_TIER_REALTIME };
  (void)walk_on(&w, frames_of(f, LP_READAHEAD_BASE_NS / 1e6), false);
  (void)walk_on(&w, frames_of(f, (double)lp_readahead_ns(LP_READAHEAD_LEVELS - 1) / 1e6), true);
  lp_follow_flush(f);
  return w.over ? lp_readahead_ns(LP_READAHEAD_LEVELS - 1) : ns_of(f, w.gone);
}

void lp_follow_walk_behind(struct lp_follow *f, const lp_snapshot *s, const lp_head *head) {
  const stride w = { .f = f, .s = s, .which = EVERY, .behind = true };
  (void)want_span(&w, head->position - frames_of(f, LP_BEHIND_MS), head->position, f->head_ns + LP_READAHEAD_BASE_NS, LP_TIER_ANTICIPATIVE);
  lp_follow_flush(f);
}
