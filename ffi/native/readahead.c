#include "readahead.h"

static const uint32_t PERCENT[LP_READAHEAD_LEVELS] = {100, 150, 200, 300};

uint32_t lp_readahead_percent(uint32_t level) { return PERCENT[level < LP_READAHEAD_LEVELS ? level : LP_READAHEAD_LEVELS - 1]; }

uint64_t lp_readahead_ns(uint32_t level) { return LP_READAHEAD_BASE_NS / 100 * lp_readahead_percent(level); }

void lp_readahead_pause(lp_readahead *r) { r->pressed_ns = r->calm_ns = 0; }

/* Since when something holds; 0 is kept for "it does not". */
static uint64_t since(bool holds, uint64_t before, uint64_t now) { return !holds ? 0 : before ? before : now; }

void lp_readahead_step(lp_readahead *r, const lp_supply *s) {
  const bool pressed = s->stalled || s->slack_ns < s->wanted_ns / 2;
  const bool calm = !s->stalled && s->slack_ns >= s->wanted_ns - s->wanted_ns / 4;
  const uint64_t now = s->now_ns ? s->now_ns : 1;
  r->pressed_ns = since(pressed, r->pressed_ns, now);
  r->calm_ns = since(calm, r->calm_ns, now);
  if (pressed && now - r->pressed_ns >= LP_READAHEAD_GROW_NS) {
    if (r->level + 1 < LP_READAHEAD_LEVELS) r->level++;
    r->pressed_ns = now;
  }
  if (calm && now - r->calm_ns >= LP_READAHEAD_CALM_NS) {
    if (r->level > 0) r->level--;
    r->calm_ns = now;
  }
}
