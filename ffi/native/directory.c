/* What the callback does with pages: no lock, no allocation, no system call, no wait. */
#include <string.h>

#include "store.h"

/* Vector code for what the machine has, where the loader can choose; sanitizers cannot stand its resolvers. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define LP_SANITIZED
#endif
#elif defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define LP_SANITIZED
#endif
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(LP_SANITIZED)
#define LP_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define LP_CLONES
#endif

/* [callback] Exact: |x| < 2^15 and the factor is a power of two. */
LP_CLONES static void s16_to_f32(float *restrict out, const int16_t *restrict in, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = (float)in[i] * (1.0f / 32768.0f);
}

/* What is known of one page: valid is 0 where nothing of it is there. */
typedef struct lp_sight {
  const lp_page *page;
  uint32_t valid;
  bool tabled; /* its table exists */
  uint8_t cause;
} lp_sight;

/* [callback] A fresh look. Acquire on both loads: what they show is written. */
static inline lp_sight look(const lp_source *s, int64_t number) {
  lp_entry *e = lp_source_entry(s, number);
  if (!e) return (lp_sight){.cause = LP_CAUSE_QUEUE};
  lp_sight sight = {.page = atomic_load_explicit(&e->page, memory_order_acquire), .tabled = true};
  if (sight.page) sight.valid = atomic_load_explicit(&sight.page->valid, memory_order_acquire);
  /* Relaxed: a word for the counters, nothing hangs on it. */
  sight.cause = atomic_load_explicit(&e->cause, memory_order_relaxed);
  return sight;
}

/* [callback] What an earlier look found. */
static inline lp_sight recall(const lp_view *v, int64_t number) {
  uint64_t i = (uint64_t)(number - v->first_page);
  if (i >= v->count) return (lp_sight){.tabled = true, .cause = LP_CAUSE_QUEUE};
  return (lp_sight){.page = v->page[i], .valid = v->valid[i], .tabled = true, .cause = v->cause[i]};
}

/* on: beyond what the view covers the source is asked. */
static inline lp_sight see(const lp_source *s, const lp_view *v, bool on, int64_t number) {
  return !v || (on && (uint64_t)(number - v->first_page) >= v->count) ? look(s, number) : recall(v, number);
}

/* The three questions, of a view or (v NULL) of the source. */

static inline int64_t run(const lp_source *s, const lp_view *v, bool on, int64_t frame, int64_t max, uint32_t *cause) {
  if (max <= 0) return 0;
  if (frame >= s->frames || (frame < 0 && frame + max <= 0)) return max;
  int64_t at = frame < 0 ? 0 : frame;
  int64_t limit = max > s->frames - frame ? s->frames : frame + max;
  int64_t mask = s->page_frames - 1;
  while (at < limit) {
    lp_sight sight = see(s, v, on, at >> s->page_shift);
    int64_t in_page = at & mask, lo = sight.valid >> 16, hi = sight.valid & 0xffff;
    if (in_page < lo || in_page >= hi) {
      if (cause) *cause = sight.cause;
      return at - frame;
    }
    at += hi - in_page;
  }
  return max;
}

static inline int64_t hole(const lp_source *s, const lp_view *v, bool on, int64_t frame, int64_t max) {
  if (max <= 0 || frame < 0 || frame >= s->frames) return 0;
  int64_t at = frame, limit = max > s->frames - frame ? s->frames : frame + max;
  int64_t mask = s->page_frames - 1;
  while (at < limit) {
    int64_t number = at >> s->page_shift, in_page = at & mask;
    lp_sight sight = see(s, v, on, number);
    int64_t lo = sight.valid >> 16, hi = sight.valid & 0xffff;
    if (in_page >= lo && in_page < hi) break;
    if (hi > lo && in_page < lo) {
      at += lo - in_page;
      break;
    }
    /* Nothing from here to the end of the page; without a table, of all its pages. */
    int64_t next = sight.tabled ? number + 1 : (number / LP_TABLE_PAGES + 1) * LP_TABLE_PAGES;
    at = next << s->page_shift;
  }
  return (at < limit ? at : limit) - frame;
}

static inline void fetch(const lp_source *s, const lp_view *v, int64_t frame, int32_t n, float *const *planes) {
  int64_t mask = s->page_frames - 1;
  int64_t done = 0;
  while (done < n) {
    int64_t at = frame + done, left = n - done;
    if (at < 0 || at >= s->frames) {
      int64_t silent = at >= s->frames || -at > left ? left : -at;
      for (uint32_t c = 0; c < s->channels; c++) memset(planes[c] + done, 0, (size_t)silent * sizeof(float));
      done += silent;
      continue;
    }
    lp_sight sight = see(s, v, false, at >> s->page_shift);
    int64_t in_page = at & mask, lo = sight.valid >> 16, hi = sight.valid & 0xffff;
    int64_t part = s->page_frames - in_page;
    if (part > s->frames - at) part = s->frames - at;
    if (part > left) part = left;
    int64_t end = in_page + part;
    if (lo < in_page) lo = in_page;
    if (hi > end) hi = end;
    if (hi <= lo) lo = hi = in_page; /* no frame of it: all zero */
    int64_t before = lo - in_page, there = hi - lo, after = end - hi;
    for (uint32_t c = 0; c < s->channels; c++) {
      float *out = planes[c] + done;
      if (before) memset(out, 0, (size_t)before * sizeof(float));
      if (there) {
        if (s->s16)
          s16_to_f32(out + before, (const int16_t *)(const void *)sight.page->plane[c] + lo, there);
        else
          memcpy(out + before, (const float *)(const void *)sight.page->plane[c] + lo, (size_t)there * sizeof(float));
      }
      if (after) memset(out + before + there, 0, (size_t)after * sizeof(float));
    }
    done += part;
  }
}

int64_t lp_source_run(const lp_source *s, int64_t frame, int64_t max, uint32_t *cause) { return run(s, NULL, false, frame, max, cause); }

int64_t lp_source_hole(const lp_source *s, int64_t frame, int64_t max) { return hole(s, NULL, false, frame, max); }

void lp_source_read(const lp_source *s, int64_t frame, int32_t n, float *const *planes) { fetch(s, NULL, frame, n, planes); }

int64_t lp_view_look(lp_view *v, const lp_source *s, int64_t frame, int64_t frames) {
  int64_t last = frames > s->frames - frame ? s->frames : frame + frames; /* exclusive */
  int64_t from = frame < 0 ? 0 : frame;
  v->source = s;
  v->first_page = from >> s->page_shift;
  v->count = 0;
  int64_t at = v->first_page << s->page_shift;
  for (; v->count < LP_VIEW_PAGES && at < last; v->count++, at += s->page_frames) {
    lp_sight sight = look(s, v->first_page + v->count);
    v->page[v->count] = sight.page;
    v->valid[v->count] = sight.valid;
    v->cause[v->count] = sight.cause;
  }
  if (v->count && v->page[0]) {
    /* Each voice reads from another corner of the slab. Fetching ahead what it will read first halves the time of a read; more than
     * half a KiB a channel gains nothing, since from there on the hardware has seen where it goes. May point past the page's last frame:
     * a prefetch never faults. */
    const int64_t at_byte = (from & (s->page_frames - 1)) << (s->s16 ? 1 : 2);
    for (uint32_t c = 0; c < s->channels; c++) {
      for (int64_t ahead = 0; ahead < 512; ahead += 64) __builtin_prefetch(v->page[0]->plane[c] + at_byte + ahead);
    }
  }
  return at < last ? at - frame : frames;
}

int64_t lp_view_run(const lp_view *v, int64_t frame, int64_t max, uint32_t *cause) { return run(v->source, v, false, frame, max, cause); }

int64_t lp_view_hole(const lp_view *v, int64_t frame, int64_t max) { return hole(v->source, v, false, frame, max); }

int64_t lp_view_run_on(const lp_view *v, int64_t frame, int64_t max, uint32_t *cause) { return run(v->source, v, true, frame, max, cause); }

int64_t lp_view_hole_on(const lp_view *v, int64_t frame, int64_t max) { return hole(v->source, v, true, frame, max); }

int64_t lp_view_run_back(const lp_view *v, int64_t end, int64_t max, uint32_t *cause) {
  const lp_source *s = v->source;
  if (max <= 0) return 0;
  const int64_t limit = end - max > 0 ? end - max : 0, mask = s->page_frames - 1;
  for (int64_t at = end < s->frames ? end : s->frames; at > limit;) {
    const lp_sight sight = see(s, v, true, (at - 1) >> s->page_shift);
    const int64_t in_page = (at - 1) & mask, lo = sight.valid >> 16, hi = sight.valid & 0xffff;
    if (in_page < lo || in_page >= hi) {
      if (cause) *cause = sight.cause;
      return end - at;
    }
    at -= in_page - lo + 1;
  }
  return max;
}

int64_t lp_view_hole_back(const lp_view *v, int64_t end, int64_t max) {
  const lp_source *s = v->source;
  if (max <= 0 || end <= 0 || end > s->frames) return 0;
  const int64_t limit = end - max > 0 ? end - max : 0, mask = s->page_frames - 1;
  int64_t at = end;
  while (at > limit) {
    const int64_t number = (at - 1) >> s->page_shift, in_page = (at - 1) & mask;
    const lp_sight sight = see(s, v, true, number);
    const int64_t lo = sight.valid >> 16, hi = sight.valid & 0xffff;
    if (in_page >= lo && in_page < hi) break;
    if (hi > lo && in_page >= hi) {
      at -= in_page - hi + 1;
      break;
    }
    /* Nothing from the page's begin up to here; without a table, from that of all its pages. */
    at = (sight.tabled ? number : number / LP_TABLE_PAGES * LP_TABLE_PAGES) << s->page_shift;
  }
  return end - (at > limit ? at : limit);
}

void lp_view_read(const lp_view *v, int64_t frame, int32_t n, float *const *planes) { fetch(v->source, v, frame, n, planes); }
