/* When a source is heard from its proxy rather than not at all: while its own pages do not come as fast as they are played. Pure: no clock, no I/O.
 *
 * It begins when little is left of what was read ahead, and has been for a moment (right after a seek there is never more), or at once where a read of
 * the volume hangs. It ends when enough is there again and has been for a while: on and off are far apart, so that it does not go to and fro. */
#ifndef LP_SLOW_DISK_H
#define LP_SLOW_DISK_H

#include "readahead.h"

/* Little, enough: at most so much, and a quarter, a half of what is wanted. Where a read hangs, what is enough elsewhere is little. */
#define LP_SLOW_LITTLE_NS 1000000000ull
#define LP_SLOW_ENOUGH_NS 2000000000ull
/* For so long. */
#define LP_SLOW_AFTER_NS 100000000ull
#define LP_FAST_AFTER_NS 500000000ull

typedef struct lp_slow_disk {
  bool slow;
  uint64_t since_ns; /* when what would change it began, 0: it has not */
} lp_slow_disk;

/* [follower] One pass further. */
void lp_slow_disk_step(lp_slow_disk *d, const lp_supply *s);
/* [follower] It is not known how it went. */
void lp_slow_disk_pause(lp_slow_disk *d);
/* [follower] How far ahead of the head a slow source's own pages are not asked for, where its proxy has the sound: they would come too late, and keep those away that
 * may come in time. */
uint64_t lp_slow_disk_skip_ns(uint64_t wanted_ns);
/* [follower] Whether it may begin soon: then it is looked at more often. */
bool lp_slow_disk_nears(const lp_supply *s);

#endif
