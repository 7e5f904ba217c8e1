/* What has to be fetched for a stretch of a clip, and when each page of it is due: what the follower and its parts reckon with. */
#ifndef LP_CLIP_COURSE_H
#define LP_CLIP_COURSE_H

#include "clip_path.h"

/* Frames [from, to) of a source as they are played: from the first on, or with a speed below zero backwards from the last. */
typedef struct lp_course {
  int64_t from, to;
  double speed; /* frames of the source in one of the timeline */
  int64_t lead; /* so many more are needed together with the first */
} lp_course;

/* [any but callback] Of a clip's frames [a, b); a < b. */
static inline lp_course lp_clip_course(const lp_clip *c, int64_t a, int64_t b) {
  const lp_span span = lp_clip_span(c, a, b);
  return (lp_course){span.from, span.to, (double)c->step / LP_PARTS, lp_clip_taps(c) - 1};
}

/* [any but callback] As far as it lies in its source. */
static inline lp_course lp_course_within(lp_course c, const lp_source *s) {
  if (c.from < 0) c.from = 0;
  if (c.to > s->frames) c.to = s->frames;
  return c;
}

/* [any but callback] How many frames of the timeline after its begin the frame of the source is needed. */
static inline double lp_course_frames(const lp_course *c, int64_t frame) {
  const int64_t gone = (c->speed < 0 ? c->to - 1 - frame : frame - c->from) - c->lead;
  return gone <= 0 ? 0 : (double)gone / (c->speed < 0 ? -c->speed : c->speed);
}

/* The pages of a course in the order in which they are played. */
typedef struct lp_course_walk {
  const lp_course *course; /* within its source */
  uint32_t page_shift;
  int64_t at; /* how far it has come */
} lp_course_walk;
static inline lp_course_walk lp_course_begin(const lp_course *c, const lp_source *s) {
  return (lp_course_walk){c, (uint32_t)s->page_shift, c->speed < 0 ? c->to : c->from};
}
/* [any but callback] The next page's part of it, [from, to). False: no more. */
static inline bool lp_course_next(lp_course_walk *w, lp_span *out) {
  const int64_t page_frames = (int64_t)1 << w->page_shift, mask = page_frames - 1;
  if (w->course->from >= w->course->to) return false;
  if (w->course->speed < 0) {
    if (w->at <= w->course->from) return false;
    const int64_t begin = (w->at - 1) & ~mask;
    *out = (lp_span){begin > w->course->from ? begin : w->course->from, w->at};
    w->at = out->from;
  } else {
    if (w->at >= w->course->to) return false;
    const int64_t end = (w->at & ~mask) + page_frames;
    *out = (lp_span){w->at, end < w->course->to ? end : w->course->to};
    w->at = out->to;
  }
  return true;
}
/* [any but callback] When it is needed: the first played of [from, to). */
static inline int64_t lp_course_first(const lp_course *c, const lp_span *part) { return c->speed < 0 ? part->to - 1 : part->from; }

/* [any but callback] Pages that last as long as two at the project's rate. */
static inline int64_t lp_clip_least_pages(const lp_clip *c) {
  const int64_t step = c->step < 0 ? -c->step : c->step;
  return step > LP_PARTS ? 2 * ((step + LP_PARTS - 1) / LP_PARTS) : 2;
}

#endif
