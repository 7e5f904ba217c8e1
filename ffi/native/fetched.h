/* What fetching took, by source and by volume. Under the store's mutex. */
#ifndef LP_FETCHED_H
#define LP_FETCHED_H

#include <stdint.h>

typedef struct lp_fetched {
  uint64_t reads;     /* blocks: one read each of one or more adjacent pages */
  uint64_t bytes;     /* of files, as they lie on the disk */
  uint64_t read_ns;   /* waiting for the disk */
  uint64_t decode_ns; /* decoding, resampling, converting */
  uint64_t decoded;   /* frames of compressed files */
  uint64_t fills;     /* pages, or parts of them */
  uint64_t errors, stalls;
} lp_fetched;

#endif
