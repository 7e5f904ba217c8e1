/* What is broken in compressed files: told once by whoever meets it (analysis, playback, a render), read by the engine that has to say so.
 *
 * One log for the process, since seek indexes are shared by all that read a file. An entry stands for one state of one file and moves to the
 * end of the log whenever more of it is found; the last 1,024 files are kept.
 */
#ifndef LP_DAMAGE_H
#define LP_DAMAGE_H

#include "pcm_file.h"

#define LP_DAMAGE_RUNS 256 /* runs that a file's entry tells apart; more are counted no more */

/* Runs of samples that cannot be decoded and are silence, none touching another. */
typedef struct lp_damage {
  uint32_t runs;
  int64_t from[LP_DAMAGE_RUNS]; /* sample: [from, to) */
  int64_t to[LP_DAMAGE_RUNS];
} lp_damage;

enum lp_damage_news { LP_DAMAGE_KNOWN, LP_DAMAGE_LONGER, LP_DAMAGE_NEW };

/* [any] Adds [from, to). LONGER: it touches a run that was known, or joins two. */
enum lp_damage_news lp_damage_add(lp_damage *d, int64_t from, int64_t to);

/* [any] Tells the file's damage, as it is known now. */
void lp_damage_tell(const lp_identity *identity, const lp_damage *d);

#endif
