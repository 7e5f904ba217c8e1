/* Admission: whose voices get pages where two a voice no longer fit for all. None is starved in secret: each gets two pages or none.
 *
 * The rule. A track that sounds keeps its places, from clip to clip, as long as the next one begins within about a tenth of a second: a voice at the head takes the
 * place of the one before it. What is left goes to new voices in order of tracks, and a refused one asks again in each pass: so what plays is never
 * thrown out by what begins, on whatever track. Only where what there is for all shrinks (a window is held; voices that played the same pages part) do tracks that
 * sound lose places, the last in order. Live heads come before offline ones, and muted tracks after all.
 *
 * A voice for whose own two pages there is no room gets its proxy's, if it has one and they fit; it keeps those, and gets its own when there is room again. Where the
 * own pages of all new voices do not fit, each first gets its proxy's: rather all from proxies than some not at all.
 *
 * "Two pages" are as many as last so long at the clip's rate: at twice the speed four.
 *
 * A refused voice is silent: it has no page, or fades out at its last one. Its frames are counted as missing, of cause budget, with a gap as for any other. */
#include <string.h>

#include "follow_internal.h"

/* How far ahead of the head a clip is about to begin. */
#define SOON_FRAMES LP_F32_PAGE_FRAMES

/* What a voice needs at least at a place, up to `span` frames of the timeline from it: two pages of its source, or at a higher rate as many as last as long as
 * two. */
static lp_course least_of(const lp_found *c, int64_t position, int64_t span) {
  const lp_source *s = c->clip->source;
  const int64_t at = position - c->start, left = c->end - position, pages = lp_clip_least_pages(c->clip);
  lp_course course = lp_clip_course(c->clip, at, at + (left < span ? left : span));
  if (course.speed > 0) {
    const int64_t to = (((course.from < 0 ? 0 : course.from) >> s->page_shift) + pages) << s->page_shift;
    if (to < course.to) course.to = to;
    return course;
  }
  const int64_t last = (course.to < s->frames ? course.to : s->frames) - 1, first_page = (last >> s->page_shift) - pages + 1;
  if (first_page > 0 && first_page << s->page_shift > course.from) course.from = first_page << s->page_shift;
  return course;
}

/* How much of a clip that begins soon is there when it does: passes are no further apart where memory is short. */
#define SOON_MS 40

/* Of a clip, needed in `in` frames, the page of its first frame, or with `on` all that its beginning needs, if there is room. Returns units that two pages of it
 * take. */
static uint64_t want_soon(struct lp_follow *f, lp_renderer *r, uint32_t slot, const lp_found *c, int64_t position, const lp_head *head, int64_t in, bool on, uint8_t tier) {
  lp_source *s = c->clip->source;
  if (!s) return 0;
  int64_t frames = on ? (int64_t)f->engine->sample_rate * SOON_MS / 1000 : 1;
  if (frames > c->end - position) frames = c->end - position;
  if (head->loop && position < head->loop_end && frames > head->loop_end - position) frames = head->loop_end - position;
  const lp_course course = lp_clip_course(c->clip, position - c->start, position - c->start + frames);
  if (lp_follow_fits(f, s, course, 0)) {
    const uint64_t before = f->units;
    lp_follow_supply(f, s, course, f->head_ns + (uint64_t)((double)in * 1e9 / f->engine->sample_rate), tier);
    r->place_units[slot] += (uint32_t)(f->units - before);
    if (!r->places_taken[slot]) r->places_taken[slot] = 1;
  }
  return (uint64_t)lp_clip_least_pages(c->clip) * s->channels;
}

/* A track that sounds goes on: its clips that begin soon, behind the loop's end too, get a page each, where there is room, and what its next one will need
 * beyond what the track has now is kept from those who are new. With `on`, after all tracks have got that: the second page too, where a clip begins just before it. */
static void want_next(struct lp_follow *f, lp_renderer *r, const lp_track *track, const lp_head *head, bool on, uint8_t tier) {
  const int64_t position = head->position, span = lp_head_span(head, INT32_MAX);
  lp_found now[2], c;
  const uint32_t n = lp_content_find(track->content, position, position + 1, now, 2);
  int64_t last = 0; /* how far those at the head go, as far as that is soon */
  for (uint32_t i = 0; i < n; i++) {
    const lp_source *s = now[i].clip->source;
    const int64_t left = now[i].end - position;
    if (s && left > last) last = left < 2 * s->page_frames ? left : 2 * s->page_frames;
  }
  const int64_t soon = last + SOON_FRAMES < span ? last + SOON_FRAMES : span;
  uint64_t needs = 0;
  for (lp_walk w = lp_content_walk(track->content, position + 1, position + soon); lp_walk_next(&w, &c);) {
    if (c.start <= position || !c.clip->source) continue;
    const bool begins = c.start < position + SOON_FRAMES;
    const uint64_t units = begins ? want_soon(f, r, track->slot, &c, c.start, head, c.start - position, on, tier) : (uint64_t)lp_clip_least_pages(c.clip) * c.clip->source->channels;
    if (units > needs) needs = units;
  }
  /* Where the loop ends before the second page, the page behind the wrap is the next. */
  if (head->loop && span < last + SOON_FRAMES && position < head->loop_end) {
    const uint32_t found = lp_content_find(track->content, head->loop_start, head->loop_start + 1, now, 2);
    for (uint32_t i = 0; i < found; i++) {
      const uint64_t units = want_soon(f, r, track->slot, &now[i], head->loop_start, head, span, on, tier);
      if (units > needs) needs = units;
    }
  }
  if (!on && needs > r->place_units[track->slot]) f->reserved += needs - r->place_units[track->slot];
}

/* A voice and its place. */
typedef struct voice {
  lp_source *source;
  lp_course course; /* what it needs at least */
  uint32_t slot, place;
} voice;

static void take_place(lp_renderer *r, const voice *v) {
  if (r->places_taken[v->slot] <= v->place) r->places_taken[v->slot] = (uint8_t)(v->place + 1);
}

/* Its own pages, if they fit; or those of the proxy alone. False: neither. */
static bool want_voice(struct lp_follow *f, lp_renderer *r, const voice *v, uint64_t reserved, bool by_proxy, uint8_t tier) {
  lp_source *source = by_proxy ? lp_follow_proxy(v->source) : v->source;
  if (!lp_follow_fits(f, source, v->course, reserved)) return false;
  const uint64_t before = f->units;
  if (by_proxy) lp_follow_want(f, source, v->course, f->head_ns, tier);
  else lp_follow_supply(f, source, v->course, f->head_ns, tier);
  r->place_units[v->slot] += (uint32_t)(f->units - before);
  take_place(r, v);
  return true;
}

static void refuse(struct lp_follow *f, uint8_t tier) {
  f->refused += f->sounds;
  f->refused_playing += tier == LP_TIER_REALTIME;
}

static uint64_t units_of(const voice *v) {
  const lp_source *s = v->source;
  const lp_course c = lp_course_within(v->course, s);
  return c.from < c.to ? (uint64_t)(((c.to - 1) >> s->page_shift) - (c.from >> s->page_shift) + 1) * s->channels : 0;
}

/* There is no room for its own pages: that is why they are missed. It sounds from its proxy, or is refused. */
static void go_without(struct lp_follow *f, lp_renderer *r, const voice *v, bool by_proxy, uint8_t tier) {
  const lp_source *s = v->source;
  if (tier == LP_TIER_REALTIME)
    for (int64_t page = (v->course.from < 0 ? 0 : v->course.from) >> s->page_shift; page << s->page_shift < v->course.to; page++) lp_store_refused(f->engine->store, v->source, page);
  if (by_proxy) {
    r->proxies_taken[v->slot] |= (uint8_t)(1u << v->place);
    f->stood_in++;
  } else {
    refuse(f, tier);
  }
}

/* One step for one voice. */
static void admit_voice(struct lp_follow *f, lp_renderer *r, const voice *v, bool kept, enum lp_admission step, uint8_t tier) {
  lp_follow_judge(f, v->source);
  const bool has_proxy = tier == LP_TIER_REALTIME && lp_follow_proxy(v->source), slow = has_proxy && v->source->slow_disk.slow;
  /* Who sounds from the proxy keeps that; its own pages come as those of new voices do, where there is room. */
  const bool by_proxy = kept && has_proxy && (slow || r->proxies_kept[v->slot] >> v->place & 1);
  switch (step) {
    case LP_ADMIT_KEPT:
      if (!kept || want_voice(f, r, v, 0, by_proxy, tier)) return;
      go_without(f, r, v, !by_proxy && has_proxy && want_voice(f, r, v, 0, true, tier), tier);
      return;
    case LP_ADMIT_COUNT:
      if (!kept) f->new_units += units_of(v);
      return;
    case LP_ADMIT_LEAST:
      if (!kept && has_proxy && (slow || f->units + f->reserved + f->new_units > f->most)) want_voice(f, r, v, f->reserved, true, tier);
      return;
    default: {
      const bool sounds = r->places_taken[v->slot] > v->place;
      if (kept && (!by_proxy || !sounds)) return;
      if (want_voice(f, r, v, f->reserved, false, tier)) return;
      go_without(f, r, v, sounds || (has_proxy && want_voice(f, r, v, f->reserved, true, tier)), tier);
    }
  }
}

void lp_admit(struct lp_follow *f, lp_renderer *r, const lp_snapshot *s, const lp_head *head, enum lp_admission step, uint8_t tier) {
  const int64_t span = lp_head_span(head, INT32_MAX);
  for (uint32_t t = 0; t < s->count; t++) {
    const lp_track *track = &s->tracks[t];
    if (lp_track_is_muted(track)) continue;
    const uint32_t kept = r->places_kept[track->slot];
    if (step == LP_ADMIT_NEXT || step == LP_ADMIT_ON) {
      if (kept) want_next(f, r, track, head, step == LP_ADMIT_ON, tier);
      continue;
    }
    lp_found found[2];
    const uint32_t n = lp_content_find(track->content, head->position, head->position + 1, found, 2);
    for (uint32_t i = 0; i < n; i++) {
      lp_source *source = found[i].clip->source;
      if (!source) continue;
      const voice v = { source, least_of(&found[i], head->position, span), track->slot, i };
      admit_voice(f, r, &v, i < kept, step, tier);
    }
  }
}

void lp_admit_muted(struct lp_follow *f, const lp_snapshot *s, const lp_head *head, uint8_t tier) {
  for (uint32_t t = 0; t < s->count; t++) {
    if (!lp_track_is_muted(&s->tracks[t])) continue;
    lp_found found[2];
    const uint32_t n = lp_content_find(s->tracks[t].content, head->position, head->position + 1, found, 2);
    for (uint32_t i = 0; i < n; i++) {
      lp_source *source = found[i].clip->source;
      if (!source) continue;
      const lp_course course = least_of(&found[i], head->position, INT64_MAX);
      if (lp_follow_fits(f, source, course, 0)) lp_follow_supply(f, source, course, f->head_ns, tier);
    }
  }
}

void lp_admission_begin(lp_renderer *r) {
  memset(r->places_taken, 0, sizeof r->places_taken);
  memset(r->proxies_taken, 0, sizeof r->proxies_taken);
  memset(r->place_units, 0, sizeof r->place_units);
}

void lp_admission_end(lp_renderer *r) {
  memcpy(r->places_kept, r->places_taken, sizeof r->places_kept);
  memcpy(r->proxies_kept, r->proxies_taken, sizeof r->proxies_kept);
}
