/* How sources keep up, and what follows from it: how far each is read ahead, and which are heard from their proxies.
 *
 * Each pass judges a source once, by what the pass before found of it: when the first page falls due that heads want and that was not there. */
#include "follow_internal.h"
#include "proxy.h"

/* So far ahead of the head a slow source's proxy is wanted. */
#define PROXY_AHEAD_NS 5000000000ull

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* How far a source was wanted in the pass before. Of the two pages that every voice has got, one at least lies ahead as a whole. */
static uint64_t was_wanted(const struct lp_follow *f, uint32_t level) {
  const uint64_t page_ns = lp_follow_page_ns(f), held_ns = f->last_held_ns > page_ns ? f->last_held_ns : page_ns;
  uint64_t ns = least(held_ns / 100 * lp_readahead_percent(level), LP_READAHEAD_BASE_NS);
  if (level && f->last_beyond_ns > ns) ns = f->last_beyond_ns;
  return least(ns, lp_readahead_ns(level));
}

void lp_follow_judge(struct lp_follow *f, lp_source *s) {
  if (s->judged == f->pass) return;
  s->judged = f->pass;
  /* Relaxed: a time by itself. */
  const uint64_t lacks = atomic_exchange_explicit(&s->lacks_ns, UINT64_MAX, memory_order_relaxed);
  if (s->measured != f->pass - 1 || f->last_held_ns == UINT64_MAX) {
    lp_readahead_pause(&s->readahead);
    lp_slow_disk_pause(&s->slow_disk);
  } else {
    const lp_supply in = { .now_ns = f->now_ns,
                           .slack_ns = lacks == UINT64_MAX ? UINT64_MAX : lacks > f->last_ns ? lacks - f->last_ns : 0,
                           .wanted_ns = was_wanted(f, s->readahead.level),
                           .stalled = f->stalled >> s->volume & 1 };
    lp_readahead_step(&s->readahead, &in);
    if (lp_follow_proxy(s)) {
      lp_slow_disk_step(&s->slow_disk, &in);
      f->nears_slow = f->nears_slow || lp_slow_disk_nears(&in);
    } else {
      s->slow_disk = (lp_slow_disk){ 0 };
    }
    atomic_store_explicit(&s->slack_ms, in.slack_ns == UINT64_MAX ? UINT32_MAX : (uint32_t)(in.slack_ns / 1000000), memory_order_relaxed);
  }
  const uint8_t level = s->readahead.level;
  f->levels |= 1u << level;
  f->next_levels |= 1u << level;
  f->slow += s->slow_disk.slow;
  /* Relaxed: for people. */
  atomic_store_explicit(&s->readahead_ms, (uint32_t)(lp_readahead_ns(level) / 1000000), memory_order_relaxed);
  atomic_store_explicit(&s->shown_slow, s->slow_disk.slow, memory_order_relaxed);
}

lp_source *lp_follow_proxy(const lp_source *s) {
  if (atomic_load_explicit(&s->proxy_leaves, memory_order_relaxed)) return NULL; /* a look later is soon enough */
  /* Acquire: it is whole. It stays for this pass (proxy_pair.c). */
  return atomic_load_explicit(&s->proxy, memory_order_acquire);
}

/* A slow source's own pages: after all that is urgent, and not where they would come too late. */
static bool want_own(struct lp_follow *f, lp_source *s, const lp_source *proxy, lp_course course, uint64_t due_ns) {
  const double ns_a_frame = 1e9 / (double)f->engine->sample_rate;
  const uint64_t skip_until = f->head_ns + lp_slow_disk_skip_ns(was_wanted(f, s->readahead.level));
  course = lp_course_within(course, s);
  lp_span part;
  for (lp_course_walk w = lp_course_begin(&course, s); lp_course_next(&w, &part);) {
    const uint64_t due = due_ns + (uint64_t)(lp_course_frames(&course, lp_course_first(&course, &part)) * ns_a_frame);
    const bool covered = due < skip_until && lp_source_run(proxy, part.from, part.to - part.from, NULL) == part.to - part.from;
    const lp_course piece = {part.from, part.to, course.speed, 0};
    if (!covered && !lp_follow_want(f, s, piece, due, LP_TIER_ANTICIPATIVE)) return false;
  }
  return true;
}

bool lp_follow_supply(struct lp_follow *f, lp_source *s, lp_course course, uint64_t due_ns, uint8_t tier) {
  lp_follow_judge(f, s);
  if (tier != LP_TIER_REALTIME) return lp_follow_want(f, s, course, due_ns, tier);
  s->measured = f->pass;
  lp_source *proxy = s->slow_disk.slow ? lp_follow_proxy(s) : NULL;
  if (!proxy) return lp_follow_want(f, s, course, due_ns, tier);
  if (due_ns < f->head_ns + PROXY_AHEAD_NS && !lp_follow_want(f, proxy, course, due_ns, tier)) return false;
  f->measures = true;
  const bool room = want_own(f, s, proxy, course, due_ns);
  f->measures = false;
  return room;
}
