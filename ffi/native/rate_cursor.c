/* A cursor of a source at another rate than the engine's: reads and decodes as the file's own cursor does, and gives frames at the engine's rate.
 *
 * In the worker's scratch lies, behind the raw bytes, a window: the input frames, as planes of floats, that the job's output frames depend on. What
 * the next output frames need of it again (the filter's input tail) goes with the cursor, so that they continue without a seek and without decoding
 * anything twice. An output frame depends on the file and on its own number alone, so pages do not know where their job began. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "resample.h"

/* Multiplications of a step at most: a millisecond of them, more or less. */
#define STEP_PRODUCTS (8 << 20)

typedef struct lp_tail {
  lp_cursor inner;          /* in the file: stands at `end`, or at the file's end if that comes before */
  int64_t first, end;       /* input frames kept; those before the file's first and behind its last are 0 */
  int64_t room;             /* frames a channel */
  int64_t window;           /* input frame at which the job's window begins */
  float samples[];          /* channels × room */
} lp_tail;

/* What the file's own cursor is. */
static const lp_cursor_ops *inner_ops(const lp_source *s) { return s->media ? &lp_media_cursor : &lp_pcm_cursor; }

static uint8_t *raw_of(uint8_t *scratch) { return scratch; }
static float *window_of(uint8_t *scratch) { return (float *)(void *)(scratch + LP_READ_BYTES); }
static void *filter_of(uint8_t *scratch) { return scratch + LP_READ_BYTES + LP_WINDOW_BYTES; }

/* Frames of the window a channel. */
static int64_t window_room(const lp_source *s) { return (int64_t)(LP_WINDOW_BYTES / sizeof(float)) / s->channels; }

/* The input frame from which on output frame `frame` and those after it depend on the file. */
static int64_t needed_from(const lp_source *s, int64_t frame) {
  int64_t first, frames;
  lp_resample_span(s->resampler, frame, 1, &first, &frames);
  return first;
}

/* Frames that the tail may have: what one output depends on, and how far apart two outputs are. */
static int64_t tail_room(const lp_source *s) { return s->resampler->taps + s->resampler->down / s->resampler->up + 2; }

int lp_rate_fits(const lp_source *s) {
  return s->resampler->scratch_bytes <= LP_FILTER_BYTES && window_room(s) >= 2 * tail_room(s) ? LP_OK : LP_E_UNSUPPORTED;
}

static int64_t rate_capacity(const lp_source *s, uint32_t bytes) {
  const lp_resampler *r = s->resampler;
  int64_t input = bytes / s->format.frame_bytes, window = window_room(s) - tail_room(s);
  if (input > window) input = window;
  int64_t output = input * r->up / r->down, products = STEP_PRODUCTS / ((int64_t)r->taps * s->channels);
  if (output > products) output = products;
  return output < 1 ? 1 : output;
}

static int rate_seek(lp_cursor *c, int fd, int64_t frame) {
  const lp_source *s = c->source;
  lp_tail *t = c->state;
  if (!t) {
    int64_t room = tail_room(s);
    t = calloc(1, sizeof *t + (size_t)room * s->channels * sizeof(float));
    if (!t) return -ENOMEM;
    t->inner = (lp_cursor){.ops = inner_ops(s), .source = s, .frame = -1};
    t->room = room;
    c->state = t;
  }
  int64_t first = needed_from(s, frame);
  if (t->inner.frame < 0 || first < t->first || first > t->end) {
    int r = t->inner.ops->seek(&t->inner, fd, first < 0 ? 0 : first);
    if (r < 0) return r;
    t->first = t->end = first;
  }
  c->frame = frame;
  return 0;
}

/* Sets frames [from, to) of the window to 0. */
static void silence(const lp_source *s, float *window, int64_t from, int64_t to) {
  for (uint32_t i = 0; i < s->channels && from < to; i++) memset(window + i * window_room(s) + from, 0, (size_t)(to - from) * sizeof(float));
}

/* [pool, blocking] Reads on until the window reaches `until` or the step is over. 0 or -errno; fewer frames than there should be are no error here. */
static int extend(lp_cursor *c, int fd, int64_t until, uint8_t *scratch) {
  const lp_source *s = c->source;
  lp_tail *t = c->state;
  float *window = window_of(scratch);
  const int64_t length = s->format.frames, most = LP_READ_BYTES / s->format.frame_bytes;
  if (t->end < 0) {
    int64_t begin = until < 0 ? until : 0;
    silence(s, window, t->end - t->window, begin - t->window);
    t->end = begin;
  }
  while (t->end < until && t->end < length) {
    int64_t n = (until < length ? until : length) - t->end;
    if (n > most) n = most;
    int64_t got = t->inner.ops->fetch(&t->inner, fd, n, raw_of(scratch), 0);
    if (got < 0) return (int)got;
    uint8_t *planes[LP_MAX_CHANNELS];
    for (uint32_t i = 0; i < s->channels; i++) planes[i] = (uint8_t *)(window + i * window_room(s));
    t->inner.ops->deliver(&t->inner, raw_of(scratch), 0, (int32_t)got, planes, (int32_t)(t->end - t->window));
    t->end += got;
    c->bytes += t->inner.bytes;
    c->broken += t->inner.broken;
    if (got < n) return 0;
  }
  if (t->end >= length && t->end < until) {
    silence(s, window, t->end - t->window, until - t->window);
    t->end = until;
  }
  return 0;
}

static int64_t rate_fetch(lp_cursor *c, int fd, int64_t frames, uint8_t *scratch, int64_t at) {
  const lp_source *s = c->source;
  lp_tail *t = c->state;
  const lp_resampler *r = s->resampler;
  int64_t first, input;
  lp_resample_span(r, c->frame, frames, &first, &input);
  if (at == 0) {
    t->window = first;
    for (uint32_t i = 0; i < s->channels && t->end > first; i++)
      memcpy(window_of(scratch) + i * window_room(s), t->samples + i * t->room + (first - t->first), (size_t)(t->end - first) * sizeof(float));
  }
  c->bytes = 0;
  c->broken = 0;
  c->paused = t->inner.paused = false;
  int error = extend(c, fd, first + input, scratch);
  if (error < 0) return error;
  int64_t done = frames;
  if (t->end < first + input) {
    done = lp_resample_ready(r, t->end < 0 ? 0 : t->end) - c->frame;
    if (done < 0) done = 0;
    if (done > frames) done = frames;
    c->paused = t->inner.paused;
  }
  c->frame += done;
  t->first = needed_from(s, c->frame);
  /* The filter reaches further than two outputs are apart, so what comes next begins in what is there. */
  assert(t->first <= t->end && t->end - t->first <= t->room);
  for (uint32_t i = 0; i < s->channels; i++)
    memcpy(t->samples + i * t->room, window_of(scratch) + i * window_room(s) + (t->first - t->window), (size_t)(t->end - t->first) * sizeof(float));
  return done;
}

static void rate_deliver(const lp_cursor *c, const uint8_t *scratch, int64_t from, int32_t n, uint8_t *const *planes, int32_t at) {
  const lp_source *s = c->source;
  const lp_tail *t = c->state;
  int64_t first = needed_from(s, c->begun + from);
  for (uint32_t i = 0; i < s->channels; i++)
    lp_resample(s->resampler, c->begun + from, n, window_of((uint8_t *)scratch) + i * window_room(s) + (first - t->window), (float *)(void *)planes[i] + at,
                filter_of((uint8_t *)scratch));
}

static void rate_close(lp_cursor *c) {
  lp_tail *t = c->state;
  if (t) t->inner.ops->close(&t->inner);
  free(t);
}

const lp_cursor_ops lp_rate_cursor = {
    .capacity = rate_capacity, .seek = rate_seek, .fetch = rate_fetch, .deliver = rate_deliver, .close = rate_close};
