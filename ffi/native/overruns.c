#include "overruns.h"

#define FIELDS 4u

void lp_overruns_note(lp_overruns *o, uint64_t time_ns, uint64_t took_ns, uint64_t period_ns) {
  const uint64_t number = atomic_load_explicit(&o->written, memory_order_relaxed) + 1;
  /* A reader that sees any new field also sees that its place was begun anew (the fence), one that sees the number sees all fields (release). */
  atomic_store_explicit(&o->begun, number, memory_order_relaxed);
  atomic_thread_fence(memory_order_release);
  const uint32_t i = (uint32_t)number & (LP_OVERRUNS - 1);
  atomic_store_explicit(&o->of[i].time_ns, time_ns, memory_order_relaxed);
  atomic_store_explicit(&o->of[i].took_ns, took_ns, memory_order_relaxed);
  atomic_store_explicit(&o->of[i].period_ns, period_ns, memory_order_relaxed);
  atomic_store_explicit(&o->written, number, memory_order_release);
}

uint32_t lp_overruns_read(lp_overruns *o, double since, double *out, uint32_t count) {
  const uint64_t last = atomic_load_explicit(&o->written, memory_order_acquire);
  uint64_t number = since >= 0 && since < 9e15 ? (uint64_t)since + 1 : 1;
  if (last >= LP_OVERRUNS && number <= last - LP_OVERRUNS) number = last - LP_OVERRUNS + 1;
  uint32_t n = 0;
  for (; number <= last && (n + 1) * FIELDS <= count; number++) {
    const uint32_t i = (uint32_t)number & (LP_OVERRUNS - 1);
    double *r = out + n * FIELDS;
    r[0] = (double)number;
    r[1] = (double)atomic_load_explicit(&o->of[i].time_ns, memory_order_relaxed) / 1e6;
    r[2] = (double)atomic_load_explicit(&o->of[i].took_ns, memory_order_relaxed) / 1e6;
    r[3] = (double)atomic_load_explicit(&o->of[i].period_ns, memory_order_relaxed) / 1e6;
    atomic_thread_fence(memory_order_acquire);
    /* Its place was begun anew meanwhile: forgotten. */
    if (atomic_load_explicit(&o->begun, memory_order_relaxed) >= number + LP_OVERRUNS) continue;
    n++;
  }
  return n;
}
