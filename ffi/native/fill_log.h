/* What became of pages that were nearly late, late, or could not be had: for the records of gaps. Under the store's mutex. */
#ifndef LP_FILL_LOG_H
#define LP_FILL_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

#define LP_FILL_LOG 2048u /* remembered; power of two */
/* A page that came this long before it was due, or later, is kept: when exactly it was needed only the callback knows. */
#define LP_FILL_NEAR_NS 250000000ull

typedef struct lp_fill_entry {
  uint32_t source; /* handle */
  uint32_t outcome; /* lp_fill_outcome */
  int64_t page;
  int64_t from; /* frame of the source */
  int32_t frames;
  uint64_t asked_ns, queued_ns, begun_ns, ended_ns, due_ns; /* engine's clock; queued: before it was begun, for the last time */
  uint64_t read_ns, decode_ns;
  uint64_t volume; /* id */
  int32_t error;
} lp_fill_entry;

typedef struct lp_fill_log {
  lp_fill_entry of[LP_FILL_LOG];
  uint64_t written; /* number of the last */
} lp_fill_log;

void lp_fill_log_add(lp_fill_log *log, const lp_fill_entry *entry);
/* As lp_fills_since (engine.h). */
uint32_t lp_fill_log_read(const lp_fill_log *log, double since, double *out, uint32_t count);

#endif
