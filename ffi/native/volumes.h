/* Volumes: which sources share a disk, and how many threads are at each. A volume that hangs or is slow takes its share of the threads and no more, so
 * that others never notice. It owns no lock: the store's mutex guards it. */
#ifndef LP_VOLUMES_H
#define LP_VOLUMES_H

#include <stdbool.h>
#include <stdint.h>

#include "fetched.h"
#include "pcm_file.h"

/* Told apart at a time; whatever comes beyond that shares the last. One bit each in a lp_volume_set. */
#define LP_VOLUMES 32
typedef uint32_t lp_volume_set;

typedef struct lp_volume {
  uint64_t id;
  uint32_t sources;   /* that lie on it; 0: the place is free */
  uint32_t reading;   /* threads with a job of it, hanging ones too */
  uint32_t stalled;   /* of them, those found hanging */
  bool indexing;      /* one of its seek indexes is being built */
  /* For show: */
  lp_fetched fetched;
  uint32_t filling;       /* threads with a read of pages */
  uint64_t busy_ns;       /* of the engine's clock, in which there was one */
  uint64_t busy_since_ns; /* while there is */
  double latency_ns;      /* of a read, a mean in which the latest weigh most */
  uint64_t longest_ns;
} lp_volume;

typedef struct lp_volumes {
  lp_volume of[LP_VOLUMES];
} lp_volumes;

/* [any] What tells one volume from another: st_dev. */
uint64_t lp_volume_id(const lp_identity *identity);

/* [under the mutex] The place of a volume, with one more source on it. */
uint32_t lp_volume_enter(lp_volumes *v, uint64_t id);
void lp_volume_leave(lp_volumes *v, uint32_t volume);
#endif
