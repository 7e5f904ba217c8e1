#include "volumes.h"

uint64_t lp_volume_id(const lp_identity *identity) { return identity->device; }

uint32_t lp_volume_enter(lp_volumes *v, uint64_t id) {
  uint32_t place = LP_VOLUMES - 1;
  for (uint32_t i = LP_VOLUMES; i-- > 0;) {
    if (v->of[i].sources && v->of[i].id == id) {
      place = i;
      break;
    }
    /* A thread may still hang in what was there before: that place is not given again. */
    if (!v->of[i].sources && !v->of[i].reading && !v->of[i].indexing) place = i;
  }
  lp_volume *volume = &v->of[place];
  /* What comes back finds its figures, unless another was here meanwhile. */
  if (volume->sources == 0 && volume->id != id) {
    volume->id = id;
    volume->fetched = (lp_fetched){0};
    volume->busy_ns = volume->longest_ns = 0;
    volume->latency_ns = 0;
  }
  volume->sources++;
  return place;
}

void lp_volume_leave(lp_volumes *v, uint32_t volume) { v->of[volume].sources--; }
