#include "fill_log.h"

#include <math.h>

void lp_fill_log_add(lp_fill_log *log, const lp_fill_entry *entry) { log->of[++log->written & (LP_FILL_LOG - 1)] = *entry; }

static double ms(uint64_t ns) { return ns == UINT64_MAX ? NAN : (double)ns / 1e6; }

uint32_t lp_fill_log_read(const lp_fill_log *log, double since, double *out, uint32_t count) {
  uint64_t number = since >= 0 && since < 9e15 ? (uint64_t)since + 1 : 1;
  if (log->written >= LP_FILL_LOG && number <= log->written - LP_FILL_LOG) number = log->written - LP_FILL_LOG + 1;
  uint32_t n = 0;
  for (; number <= log->written && (n + 1) * LP_FILL_FIELDS <= count; number++, n++) {
    const lp_fill_entry *e = &log->of[number & (LP_FILL_LOG - 1)];
    const double fields[LP_FILL_FIELDS] = {
        (double)number,       (double)e->source,  (double)e->page,    (double)e->from,        e->frames,           ms(e->asked_ns), ms(e->queued_ns), ms(e->begun_ns),
        ms(e->ended_ns),      ms(e->due_ns),      ms(e->read_ns),     ms(e->decode_ns), (double)e->outcome,  e->error,        (double)e->volume,
    };
    for (uint32_t i = 0; i < LP_FILL_FIELDS; i++) out[n * LP_FILL_FIELDS + i] = fields[i];
  }
  return n;
}
