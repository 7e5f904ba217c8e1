#include "slow_disk.h"

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

void lp_slow_disk_pause(lp_slow_disk *d) { d->since_ns = 0; }

uint64_t lp_slow_disk_skip_ns(uint64_t wanted_ns) { return least(LP_SLOW_LITTLE_NS / 2, wanted_ns / 4); }

bool lp_slow_disk_nears(const lp_supply *s) { return s->slack_ns < least(LP_SLOW_ENOUGH_NS, s->wanted_ns / 2); }

void lp_slow_disk_step(lp_slow_disk *d, const lp_supply *s) {
  const uint64_t little = least(LP_SLOW_LITTLE_NS, s->wanted_ns / 4), enough = least(LP_SLOW_ENOUGH_NS, s->wanted_ns / 2);
  bool turns;
  uint64_t after;
  if (d->slow) {
    turns = !s->stalled && s->slack_ns >= enough;
    after = LP_FAST_AFTER_NS;
  } else {
    turns = s->slack_ns < (s->stalled ? enough : little);
    after = s->stalled ? 0 : LP_SLOW_AFTER_NS;
  }
  if (!turns) {
    d->since_ns = 0;
    return;
  }
  const uint64_t now = s->now_ns ? s->now_ns : 1;
  if (!d->since_ns) d->since_ns = now;
  if (now - d->since_ns < after) return;
  d->slow = !d->slow;
  d->since_ns = 0;
}
