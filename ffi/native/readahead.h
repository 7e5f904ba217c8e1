/* How far a source is read ahead: 10 s, and in steps up to 30 s where its pages come late. Pure: no clock, no I/O.
 *
 * What is measured is the slack: how far ahead of its need the first page is that is wanted and not there. On a disk that keeps up it is nearly all of what
 * is wanted, since a page is asked for as soon as it comes within reach. Under load it falls: then more is read ahead, so that the next
 * stretch as bad finds more to live on; and when it has been calm for a while, less again. */
#ifndef LP_READAHEAD_H
#define LP_READAHEAD_H

#include <stdbool.h>
#include <stdint.h>

#define LP_READAHEAD_BASE_NS 10000000000ull
/* Steps: 10, 15, 20, 30 s. */
#define LP_READAHEAD_LEVELS 4
/* Pressed for so long, it grows by a step; calm for so long, it shrinks by one. */
#define LP_READAHEAD_GROW_NS 1000000000ull
#define LP_READAHEAD_CALM_NS 10000000000ull

/* Of a source, in one pass of the follower. */
typedef struct lp_supply {
  uint64_t now_ns;    /* engine clock */
  uint64_t slack_ns;  /* UINT64_MAX: all that is wanted is there */
  uint64_t wanted_ns; /* how far ahead it is wanted, as the budget has it */
  bool stalled;       /* a read of its volume hangs */
} lp_supply;

typedef struct lp_readahead {
  uint8_t level;
  uint64_t pressed_ns, calm_ns; /* since when, 0: it is not */
} lp_readahead;

/* [follower] One pass further. */
void lp_readahead_step(lp_readahead *r, const lp_supply *s);
/* [follower] It is not known how it went: the state stays, what was about to change it is forgotten. */
void lp_readahead_pause(lp_readahead *r);
/* [any] How far ahead a level reaches; and what of the base that is, in percent. */
uint64_t lp_readahead_ns(uint32_t level);
uint32_t lp_readahead_percent(uint32_t level);

#endif
