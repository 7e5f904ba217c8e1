#include "track_cursor.h"

/* Goes on to the first clip that ends after `from`; false: that is too far. */
static bool go_on(lp_track_cursor *k, const lp_content *c, int64_t from) {
  for (uint32_t step = 0; step < LP_TRACK_CURSOR_STEPS; step++) {
    if (k->place >= c->count) {
      k->next = INT64_MAX;
      return true;
    }
    const lp_place *p = &c->places[k->place];
    if (p->start + p->block->max_end <= from) {
      k->place++;
      k->index = 0;
      continue;
    }
    /* All before it have ended, and one of the block has not: so there is one at or after it. */
    const lp_clip *clip = &p->block->clips[k->index];
    if (p->start + clip->at + clip->length > from) {
      k->next = p->start + clip->at;
      return true;
    }
    k->index++;
  }
  return false;
}

static void search(lp_track_cursor *k, const lp_content *c, int64_t from) {
  lp_walk w = lp_content_walk(c, from, INT64_MAX);
  lp_found first;
  const bool any = lp_walk_next(&w, &first);
  k->place = any ? first.place : c->count;
  k->index = any ? first.index : 0;
  k->next = any ? first.start : INT64_MAX;
  k->searches++;
}

uint32_t lp_track_cursor_find(lp_track_cursor *k, const lp_content *c, int64_t from, int64_t to, lp_found *out, uint32_t max) {
  const bool goes_on = k->content == c && from >= k->from;
  if (!(goes_on && from < k->next) && !(goes_on && go_on(k, c, from))) search(k, c, from);
  k->content = c;
  k->from = from;
  if (k->next >= to) return 0;
  lp_walk w = { c, from, to, k->place, k->index };
  return lp_walk_take(&w, out, max);
}
