/* The head: where playing stands, and the little program of steps (edits' maps, seeks, transport) that moves it.
 *
 * Each publication carries every step made since the last publication that the callback is known to have taken; steps carry the number of
 * their publication, and one that was already executed is skipped. So a publication that was displaced unseen loses nothing, and one
 * composed on an outdated acknowledgement does nothing twice. Pure: no clock, no I/O.
 */
#ifndef LP_HEAD_H
#define LP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "nonblocking.h"

enum lp_state { LP_STOPPED = 0, LP_PAUSED = 1, LP_PLAYING = 2 };

#define LP_NO_FRAME INT64_MIN
#define LP_MAX_FRAME ((int64_t)1 << 53)

typedef struct lp_head {
  int64_t position;
  int64_t origin;   /* where play began */
  int64_t to_frame; /* LP_NO_FRAME: plays on for ever */
  int64_t loop_start, loop_end;
  bool loop;
  uint32_t state; /* lp_state */
} lp_head;

enum lp_step_kind { LP_STEP_MAP, LP_STEP_PLAY, LP_STEP_PAUSE, LP_STEP_STOP, LP_STEP_SEEK, LP_STEP_LOOP };

typedef struct lp_step {
  uint64_t publication;
  uint32_t kind;
  uint32_t flag;
  int64_t a, b, c;
} lp_step;

/* What a run of steps did, for the caller to report. */
typedef struct lp_step_result {
  bool jumped;   /* a seek, a play from elsewhere or a stop moved the head, not only an edit */
  bool loop_off; /* an edit left the loop shorter than a frame */
} lp_step_result;

/* [callback, control] One position through one map step. */
int64_t lp_map_frame(int64_t frame, int64_t at, int64_t remove, int64_t insert) LP_NONBLOCKING;

/* [callback, control] Executes the steps of publications beyond `done` on the head. */
lp_step_result lp_head_run(lp_head *head, const lp_step *steps, uint32_t count, uint64_t done) LP_NONBLOCKING;

/* [callback, follower] Frames from the head to its next jump (loop end, to_frame), at most max. */
int64_t lp_head_span(const lp_head *head, int64_t max) LP_NONBLOCKING;

enum lp_jump { LP_JUMP_NONE, LP_JUMP_WRAP, LP_JUMP_END };
/* [callback, follower] Moves the head on by n ≤ lp_head_span frames and executes the jump that stands there. */
enum lp_jump lp_head_advance(lp_head *head, int64_t n) LP_NONBLOCKING;

#endif
