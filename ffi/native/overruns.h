/* The last callbacks that took longer than their period, written by the callback and read by anybody without a lock. */
#ifndef LP_OVERRUNS_H
#define LP_OVERRUNS_H

#include <stdatomic.h>
#include <stdint.h>

#include "nonblocking.h"

#define LP_OVERRUNS 64u /* remembered; power of two */

typedef struct lp_overruns {
  _Atomic uint64_t begun, written; /* numbers of the record being written and of the last whole one */
  struct {
    _Atomic uint64_t time_ns, took_ns, period_ns;
  } of[LP_OVERRUNS];
} lp_overruns;

/* [callback] time_ns: when it began, on the engine's clock. */
void lp_overruns_note(lp_overruns *o, uint64_t time_ns, uint64_t took_ns, uint64_t period_ns) LP_NONBLOCKING;
/* [any] As lp_overruns_since (engine.h). */
uint32_t lp_overruns_read(lp_overruns *o, double since, double *out, uint32_t count);

#endif
