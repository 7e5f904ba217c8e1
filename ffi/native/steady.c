#include "steady.h"

#include <math.h>

#include "reading.h"

/* What a voice that was rendered the long way leaves behind: it is whole, and no hole of it stands open. */
static bool is_whole(const lp_renderer *r, uint32_t slot, uint32_t uid) {
  const lp_voice *v = r->voices->of[slot];
  if (v[0].uid != uid) v++;
  return v->uid == uid && v->presence >= 1.0f && !v->gap;
}

void lp_steady_note(lp_renderer *r, const lp_track *t, int64_t position) {
  lp_steady *s = &r->steady[t->slot];
  if (s->content == t->content && position >= s->from && position < s->to) {
    /* A page's end lay in this block, or its clip was known already when a hole came. */
    if (!is_whole(r, t->slot, s->uid)) s->content = NULL;
    return;
  }
  s->content = NULL;
  lp_found found[2];
  if (lp_track_cursor_find(&r->cursors[t->slot], t->content, position, position + 1, found, 2) != 1) return;
  const lp_clip *clip = found[0].clip;
  const lp_source *source = clip->source;
  if (!source || !lp_clip_is_forward(clip) || !lp_source_is_plain(source) || (clip->gain != 0 && fabsf(clip->gain) < LP_MIX_LEAST_GAIN)) return;
  if (!is_whole(r, t->slot, clip->uid)) return;
  int64_t to;
  if (!lp_clip_steady(t->content, &found[0], position, &to)) return;
  *s = (lp_steady){ .content = t->content,
                    .from = position,
                    .to = to,
                    .end = found[0].end,
                    .offset = clip->first - found[0].start,
                    .page = -1,
                    .frames = source->frames,
                    .source = source,
                    .gain = clip->gain,
                    .uid = clip->uid,
                    .page_shift = (uint8_t)source->page_shift,
                    .channels = (uint8_t)source->channels,
                    .s16 = source->s16 };
}

/* The page of an entry, and which of its frames are valid. Acquire, twice: what they show is written. */
static const lp_page *page_of(const lp_entry *e, int64_t *lo, int64_t *hi) {
  const lp_page *p = e ? atomic_load_explicit(&e->page, memory_order_acquire) : NULL;
  if (!p) return NULL;
  const uint32_t valid = atomic_load_explicit(&p->valid, memory_order_acquire);
  *lo = valid >> 16;
  *hi = valid & 0xffff;
  return p;
}

void lp_steady_look(lp_renderer *r, const lp_track *t, int64_t position, int32_t n, int64_t limit, lp_steady_block *out) {
  out->plane[0] = NULL;
  lp_steady *s = &r->steady[t->slot];
  if (s->content != t->content || position < s->from || position + n > s->to) return;
  const lp_ramp *fader = r->ramps[t->slot];
  if (fader[0].left > 0 || fader[1].left > 0) return;
  const int64_t page_frames = (int64_t)1 << s->page_shift;
  const int64_t first = position + s->offset, page = first >> s->page_shift, at = first & (page_frames - 1);
  if (first < 0 || first + n > s->frames || at + n > page_frames) return;
  if (page != s->page) {
    s->page = page;
    s->entry = lp_source_entry(s->source, page); /* its table stays as long as the source, once there is one */
    if (!s->entry) s->page = -1;
  }
  int64_t lo, hi;
  const lp_page *p = page_of(s->entry, &lo, &hi);
  if (!p || at < lo || at + n > hi) return;
  /* As clip_render: one fade ahead, but not beyond the clip, the source or the head's next jump. */
  int64_t ahead = s->end - position - n;
  if (limit - n < ahead) ahead = limit - n;
  if (ahead > r->fade_frames) ahead = r->fade_frames;
  if (first + n + ahead > s->frames) ahead = s->frames - first - n;
  if (at + n + ahead > hi) {
    if (hi < page_frames || ahead > page_frames) return;
    int64_t next_lo, next_hi;
    if (!page_of(lp_source_entry(s->source, page + 1), &next_lo, &next_hi) || next_lo > 0 || at + n + ahead - page_frames > next_hi) return;
  }
  const int64_t at_byte = at << (s->s16 ? 1 : 2), bytes = (int64_t)n << (s->s16 ? 1 : 2);
  for (uint32_t c = 0; c < s->channels; c++) {
    out->plane[c] = p->plane[c] + at_byte;
    /* Each voice reads from another corner of the slab. More than half a KiB a channel gains nothing: the hardware has seen by then where it goes. */
    for (int64_t k = 0; k < bytes && k < 512; k += 64) __builtin_prefetch((const uint8_t *)out->plane[c] + k);
  }
  if (s->channels == 1) out->plane[1] = out->plane[0];
  out->gain = s->gain;
  out->s16 = s->s16;
}

bool lp_track_rests(lp_renderer *r, const lp_track *t, int64_t position, int32_t n) {
  if (!lp_track_cursor_rests(&r->cursors[t->slot], t->content, position, position + n)) return false;
  const lp_ramp *fader = r->ramps[t->slot];
  if (fader[0].left > 0 || fader[1].left > 0) return false;
  r->steady[t->slot].content = NULL;
  return true;
}

void lp_steady_mix(lp_renderer *r, uint32_t slot, const lp_steady_block *b, int32_t n, float *const out[2]) {
  const float fader[2] = { r->ramps[slot][0].current, r->ramps[slot][1].current };
  lp_meter *meter = &r->meter_active->tracks[slot];
  if (b->s16) {
    const int16_t *const in[2] = { b->plane[0], b->plane[1] };
    r->kernel->s16(in, n, b->gain, fader, out, meter);
  } else {
    const float *const in[2] = { b->plane[0], b->plane[1] };
    r->kernel->f32(in, n, b->gain, fader, out, meter);
  }
}
