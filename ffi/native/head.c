#include "head.h"

int64_t lp_map_frame(int64_t frame, int64_t at, int64_t remove, int64_t insert) {
  if (frame < at) return frame;
  if (remove > 0 && frame < at + remove) return at;
  frame += insert - remove;
  /* Many edits may push far: stays a whole number in f64, and never overflows. */
  return frame < LP_MAX_FRAME ? frame : LP_MAX_FRAME;
}

/* [callback] Where a range ends, the frame behind its last, through one map step: what is put in there lies behind the range. */
static int64_t map_end(int64_t frame, int64_t at, int64_t remove, int64_t insert) {
  return frame <= at ? frame : frame <= at + remove ? at : lp_map_frame(frame, at, remove, insert);
}

static void run_map(lp_head *h, const lp_step *s, lp_step_result *result) {
  h->position = lp_map_frame(h->position, s->a, s->b, s->c);
  h->origin = lp_map_frame(h->origin, s->a, s->b, s->c);
  if (h->to_frame != LP_NO_FRAME) h->to_frame = map_end(h->to_frame, s->a, s->b, s->c);
  h->loop_start = lp_map_frame(h->loop_start, s->a, s->b, s->c);
  h->loop_end = map_end(h->loop_end, s->a, s->b, s->c);
  if (h->loop_end < h->loop_start) h->loop_end = h->loop_start;
  if (h->loop && h->loop_end - h->loop_start < 1) {
    h->loop = false;
    result->loop_off = true;
  }
}

lp_step_result lp_head_run(lp_head *h, const lp_step *steps, uint32_t count, uint64_t done) {
  lp_step_result result = { false, false };
  for (uint32_t i = 0; i < count; i++) {
    const lp_step *s = &steps[i];
    if (s->publication <= done) continue;
    switch (s->kind) {
      case LP_STEP_MAP: run_map(h, s, &result); break;
      case LP_STEP_PLAY:
        if (s->a != LP_NO_FRAME && s->a != h->position) {
          h->position = s->a;
          result.jumped = true;
        }
        if (h->state != LP_PLAYING || s->a != LP_NO_FRAME) h->origin = h->position;
        h->to_frame = s->b != LP_NO_FRAME && s->b > h->position ? s->b : LP_NO_FRAME;
        h->state = LP_PLAYING;
        break;
      case LP_STEP_PAUSE:
        if (h->state == LP_PLAYING) h->state = LP_PAUSED;
        break;
      case LP_STEP_STOP:
        if (h->state != LP_STOPPED) {
          result.jumped = result.jumped || h->position != h->origin;
          h->position = h->origin;
        }
        h->state = LP_STOPPED;
        h->to_frame = LP_NO_FRAME;
        break;
      case LP_STEP_SEEK:
        result.jumped = result.jumped || h->position != s->a;
        h->position = s->a;
        if (h->state != LP_PLAYING) h->origin = s->a;
        if (h->to_frame != LP_NO_FRAME && h->to_frame <= s->a) h->to_frame = LP_NO_FRAME;
        break;
      case LP_STEP_LOOP:
        h->loop = s->flag != 0;
        h->loop_start = s->a;
        h->loop_end = s->b;
        break;
      default: break;
    }
  }
  return result;
}

int64_t lp_head_span(const lp_head *h, int64_t max) {
  int64_t span = max;
  if (h->loop && h->position < h->loop_end && h->loop_end - h->position < span) span = h->loop_end - h->position;
  if (h->to_frame != LP_NO_FRAME && h->position < h->to_frame && h->to_frame - h->position < span) span = h->to_frame - h->position;
  return span;
}

enum lp_jump lp_head_advance(lp_head *h, int64_t n) {
  h->position += n;
  /* The end comes before the wrap: play to a frame that is the loop's end means to it, once. */
  if (h->to_frame != LP_NO_FRAME && h->position == h->to_frame) {
    h->to_frame = LP_NO_FRAME;
    h->state = LP_PAUSED;
    return LP_JUMP_END;
  }
  if (h->loop && h->position == h->loop_end && n > 0) {
    h->position = h->loop_start;
    return LP_JUMP_WRAP;
  }
  return LP_JUMP_NONE;
}
