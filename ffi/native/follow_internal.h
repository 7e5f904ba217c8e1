/* What the parts of the follower share: follow.c (the pass, and what is wanted in it), admission.c (the voices at the heads), follow_walk.c (what lies
 * before and behind them), follow_supply.c (how sources keep up). */
#ifndef LP_FOLLOW_INTERNAL_H
#define LP_FOLLOW_INTERNAL_H

#include "clip_course.h"
#include "engine_internal.h"

#define LP_WANT_BATCH 64

/* So much of what lies behind a head is kept. */
#define LP_BEHIND_MS 300.0

/* A page wanted in a pass. */
typedef struct lp_seen {
  lp_source *source;
  int64_t page;
  uint32_t pass;
} lp_seen;

struct lp_follow {
  lp_engine *engine;
  lp_seen *table; /* pages wanted in this pass */
  uint32_t mask;
  uint32_t pass;
  uint64_t units, most; /* wanted in this pass, allowed */
  uint64_t reserved;    /* of that, not for new voices */
  uint64_t new_units;   /* that the new voices at hand would need */
  bool admits;          /* voices are wanted just now */
  bool sounds;          /* the head at hand is the one that sounds, not one that waits to */
  bool counts;          /* in this pass, what is wanted beside the plan */
  uint64_t beside;      /* units of that */
  uint32_t refused, refused_playing, stood_in; /* voices; those that have but their proxy's pages for want of room */
  uint64_t now_ns;
  uint64_t head_ns; /* when the head at hand stands where it stands: now, but for what devices waver */
  uint64_t held_ns; /* least horizon of a playing head, UINT64_MAX none plays */
  uint32_t missing; /* pages of those wanted in this pass that are not there */
  uint32_t lacking; /* of those that are due within near_ns, and of voices at the heads */
  uint64_t near_ns; /* half of the horizon held in the last pass */
  /* How sources keep up. */
  uint64_t last_ns, last_held_ns; /* of the pass before */
  uint64_t beyond_ns, last_beyond_ns; /* how far ahead of any head the read-ahead beyond the base came */
  uint32_t stalled;     /* volumes at which a read hangs, a bit each */
  uint32_t levels, next_levels; /* of read-ahead that there are, a bit each */
  uint32_t slow;        /* sources heard from their proxies */
  bool nears_slow;      /* one of them is, or may be soon */
  bool measures;        /* what is wanted now tells how its source keeps up, whatever its tier */
  lp_origin *origin;
  lp_want batch[LP_WANT_BATCH];
  uint32_t batched;
  bool later; /* something was wanted that nobody has been woken for */
};

/* follow.c [follower] Wants what is played of a source, the first of it needed at due_ns. False when the budget is used up. */
bool lp_follow_want(struct lp_follow *f, lp_source *s, lp_course course, uint64_t due_ns, uint8_t tier);
/* follow.c [follower] Whether its pages fit the budget less `reserved` units, besides what is wanted already. */
bool lp_follow_fits(struct lp_follow *f, const lp_source *s, lp_course course, uint64_t reserved);

/* follow.c [follower] Hands over what was wanted; what was wanted since the last time lies near. */
void lp_follow_flush(struct lp_follow *f);
void lp_follow_flush_near(struct lp_follow *f);

/* follow_supply.c [follower] Looks how a source keeps up, once a pass. */
void lp_follow_judge(struct lp_follow *f, lp_source *s);
/* follow_supply.c [follower] As lp_follow_want, of a clip's source as it is to be had: from its proxy too while it is slow. */
bool lp_follow_supply(struct lp_follow *f, lp_source *s, lp_course course, uint64_t due_ns, uint8_t tier);
/* follow_supply.c [follower] Its proxy, for this pass, or NULL. */
lp_source *lp_follow_proxy(const lp_source *s);

/* follow_walk.c [follower] Wants what lies ahead of a head, up to the base of read-ahead, sources that are read further ahead sooner. Returns how far it
 * came for those that are not, in ns. */
uint64_t lp_follow_walk(struct lp_follow *f, const lp_snapshot *s, const lp_head *head, bool muted, uint8_t tier);
/* follow_walk.c [follower] Wants what is read ahead beyond the base. Returns how far it came. */
uint64_t lp_follow_walk_beyond(struct lp_follow *f, const lp_snapshot *s, const lp_head *head);
/* follow_walk.c [follower] Wants what a step back would need. */
void lp_follow_walk_behind(struct lp_follow *f, const lp_snapshot *s, const lp_head *head);

/* Who is admitted (admission.c). */
enum lp_admission {
  LP_ADMIT_KEPT,  /* tracks that sound keep their places */
  LP_ADMIT_NEXT,  /* what follows on them */
  LP_ADMIT_ON,    /* as far as its beginning goes */
  LP_ADMIT_COUNT, /* what new voices would need */
  LP_ADMIT_LEAST, /* their proxies, if that is too much */
  LP_ADMIT_NEW,   /* their own pages */
  LP_ADMISSIONS
};
/* admission.c [follower] One step of it for one head: its voices that are heard, each wanted or refused. f->origin is the head's. */
void lp_admit(struct lp_follow *f, lp_renderer *r, const lp_snapshot *s, const lp_head *head, enum lp_admission step, uint8_t tier);
/* admission.c [follower] The voices of muted tracks: after all that are heard, and none of them is missed. */
void lp_admit_muted(struct lp_follow *f, const lp_snapshot *s, const lp_head *head, uint8_t tier);
/* admission.c [follower] Around a pass. */
void lp_admission_begin(lp_renderer *r);
void lp_admission_end(lp_renderer *r);

/* What the shortest page lasts. */
static inline uint64_t lp_follow_page_ns(const struct lp_follow *f) { return (uint64_t)(LP_F32_PAGE_FRAMES * 1e9 / f->engine->sample_rate); }

static inline bool lp_track_is_muted(const lp_track *t) { return t->gain[0] == 0.0f && t->gain[1] == 0.0f; }

#endif
