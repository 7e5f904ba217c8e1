#include "snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- references; under the renderer's lock ---- */

/* A run of clips of one source has one reference of it: the first one's. */
static lp_source *source_held(const lp_block *b, uint32_t i) {
  lp_source *source = b->clips[i].source;
  return i && source == b->clips[i - 1].source ? NULL : source;
}

static void block_unref(lp_block *b) {
  if (!b || --b->refs) return;
  for (uint32_t i = 0; i < b->count; i++)
    if (source_held(b, i)) lp_source_unref(b->clips[i].source);
  if (b->index) lp_block_index_take_out(b->index, b);
  free(b->reach);
  free(b);
}

void lp_block_keep(lp_block *b, bool kept) {
  if (b->kept == kept) return;
  b->kept = kept;
  if (kept) b->refs++;
  else block_unref(b);
}

static void content_unref(lp_content *c) {
  if (!c || --c->refs) return;
  for (uint32_t i = 0; i < c->count; i++) block_unref(c->places[i].block);
  free(c);
}

void lp_snapshot_ref(lp_snapshot *s) { s->refs++; }

void lp_snapshot_unref(lp_snapshot *s) {
  if (!s || --s->refs) return;
  for (uint32_t i = 0; i < s->count; i++) content_unref(s->tracks[i].content);
  free(s);
}

lp_snapshot *lp_snapshot_empty(void) {
  lp_snapshot *s = calloc(1, sizeof *s);
  if (s) s->refs = 1;
  return s;
}

/* ---- unpacking ---- */

/* A cursor over untrusted bytes: `ok` turns false at the first read beyond the end and stays so. */
typedef struct reader {
  const uint8_t *at, *end;
  bool ok;
} reader;

static bool take(reader *r, void *out, size_t n) {
  if (!r->ok || (size_t)(r->end - r->at) < n) {
    r->ok = false;
    memset(out, 0, n);
    return false;
  }
  memcpy(out, r->at, n);
  r->at += n;
  return true;
}
static uint32_t take_u32(reader *r) {
  uint32_t v;
  take(r, &v, sizeof v);
  return v;
}
static float take_f32(reader *r) {
  float v;
  take(r, &v, sizeof v);
  return v;
}
/* A frame count: an integer within ±2^53, else not ok. */
static int64_t take_frames(reader *r) {
  double v;
  take(r, &v, sizeof v);
  if (!(fabs(v) <= 9007199254740992.0)) {
    r->ok = false;
    return 0;
  }
  return (int64_t)floor(v);
}

/* A place in a source, or a step, in whole frames and parts of one. */
static int64_t take_place(reader *r, uint32_t *fraction) {
  double v;
  take(r, &v, sizeof v);
  *fraction = 0;
  if (!(fabs(v) <= 9007199254740992.0)) {
    r->ok = false;
    return 0;
  }
  const double whole = floor(v);
  const uint32_t parts = (uint32_t)((v - whole) * LP_PARTS + 0.5);
  *fraction = parts & (LP_PARTS - 1);
  return (int64_t)whole + (parts >> LP_PART_BITS);
}

/* What products and sums of stay finite, whatever is added up. */
static bool gain_sane(float gain) { return fabsf(gain) <= 1e6f; }

static bool clip_sane(const lp_clip *c) {
  const int64_t max = (int64_t)1 << 53;
  return c->uid && c->length > 0 && c->at >= 0 && c->at < max && c->length < max && c->first > -max && c->first < max && c->fade_in >= 0 &&
         c->fade_out >= 0 && gain_sane(c->gain) && llabs(c->step) >= LP_MIN_STEP && llabs(c->step) <= LP_MAX_STEP;
}

static lp_block *block_unpack(reader *r, const lp_block_index *index, lp_source_lookup lookup, void *context) {
  uint32_t id = take_u32(r), base_id = take_u32(r), prefix = take_u32(r), suffix = take_u32(r);
  int64_t prefix_shift = take_frames(r), suffix_shift = take_frames(r);
  uint32_t inserted = take_u32(r);
  take_u32(r);
  if (!r->ok || !id || lp_block_index_get(index, id)) return NULL;
  const lp_block *base = base_id ? lp_block_index_get(index, base_id) : NULL;
  if (base_id && !base) return NULL;
  uint32_t base_count = base ? base->count : 0;
  if (prefix > base_count || suffix > base_count || inserted > LP_BLOCK_CLIPS) return NULL;
  uint32_t count = prefix + inserted + suffix;
  if (!count || count > LP_BLOCK_CLIPS) return NULL;
  lp_block *b = calloc(1, sizeof *b + count * sizeof(lp_clip));
  if (!b) return NULL;
  b->refs = 1;
  b->id = id;
  b->reach = malloc(count * sizeof *b->reach);
  if (!b->reach) {
    free(b);
    return NULL;
  }
  bool sane = true;
  for (uint32_t i = 0; i < count; i++) {
    lp_clip *c = &b->clips[i];
    if (i < prefix) {
      *c = base->clips[i];
      c->at += prefix_shift;
    } else if (i < prefix + inserted) {
      c->uid = take_u32(r);
      uint32_t source = take_u32(r);
      c->at = take_frames(r);
      c->length = take_frames(r);
      c->first = take_place(r, &c->fraction);
      uint32_t parts;
      const int64_t whole = take_place(r, &parts);
      c->step = whole <= 16 && whole >= -16 ? whole * LP_PARTS + parts : 0;
      c->fade_in = take_frames(r);
      c->fade_out = take_frames(r);
      c->gain = take_f32(r);
      c->shapes = take_u32(r);
      c->source = source ? lookup(context, source) : NULL;
      const bool is_plain = llabs(c->step) == LP_PARTS && c->fraction == 0;
      if (c->source && !is_plain && llabs(c->step) <= LP_MAX_STEP) c->table = lp_speed_table_of(c->step);
      if (c->source && !is_plain && !c->table) r->ok = false; /* no memory, or nothing sane: nothing is published */
    } else {
      *c = base->clips[base_count - suffix + (i - prefix - inserted)];
      c->at += suffix_shift;
    }
    if (source_held(b, i)) lp_source_ref(c->source);
    b->count = i + 1;
    sane = sane && r->ok && clip_sane(c) && (i == 0 || c->at >= b->clips[i - 1].at);
    int64_t end = c->at + c->length;
    b->reach[i] = i && b->reach[i - 1] > end ? b->reach[i - 1] : end;
    if (!sane) break;
  }
  b->max_end = b->reach[b->count - 1];
  if (!sane) {
    block_unref(b);
    return NULL;
  }
  return b;
}

static lp_content *content_unpack(reader *r, uint32_t pieces, const lp_content *base, const lp_block_index *index) {
  /* Two passes: count, then build. */
  reader probe = *r;
  uint64_t total = 0;
  for (uint32_t i = 0; i < pieces && probe.ok; i++) {
    uint32_t kind = take_u32(&probe), a = take_u32(&probe), b = take_u32(&probe);
    take_u32(&probe);
    take_frames(&probe);
    if (kind == 0) {
      if (!base || a > base->count || b > base->count - a) return NULL;
      total += b;
    } else if (kind == 1) {
      if (!lp_block_index_get(index, a)) return NULL;
      total += 1;
    } else {
      return NULL;
    }
  }
  if (!probe.ok || total > LP_MAX_PLACES) return NULL;
  lp_content *c = calloc(1, sizeof *c + total * sizeof(lp_place));
  if (!c) return NULL;
  c->refs = 1;
  bool sane = true;
  for (uint32_t i = 0; i < pieces; i++) {
    uint32_t kind = take_u32(r), a = take_u32(r), b = take_u32(r);
    take_u32(r);
    int64_t value = take_frames(r);
    uint32_t n = kind == 0 ? b : 1;
    for (uint32_t k = 0; k < n; k++) {
      lp_place *p = &c->places[c->count];
      p->block = kind == 0 ? base->places[a + k].block : lp_block_index_get(index, a);
      p->start = kind == 0 ? base->places[a + k].start + value : value;
      p->block->refs++;
      int64_t end = p->start + p->block->max_end;
      const lp_place *before = c->count ? p - 1 : NULL;
      p->reach = before && before->reach > end ? before->reach : end;
      /* Bounded, since shifts of many edits add up. */
      sane = sane && p->start >= 0 && p->start <= (int64_t)1 << 53 &&
             (!before || p->start + p->block->clips[0].at >= before->start + before->block->clips[before->block->count - 1].at);
      c->count++;
    }
  }
  if (!sane) {
    content_unref(c);
    return NULL;
  }
  return c;
}

/* What a packed edit keeps, once all else of it is found to be good. */
typedef struct keep {
  uint32_t id;
  bool kept;
} keep;

/* Tracks in the making. */
typedef struct making {
  lp_snapshot *snapshot;
  uint32_t room;   /* of its tracks */
  uint32_t places; /* of all of them */
  uint64_t taken[LP_MAX_TRACKS / 64]; /* slots, a bit each */
} making;

/* Takes a reference of content over. False: its slot has a track, or there are too many. */
static int add_track(making *m, uint32_t slot, const float gain[2], lp_content *content) {
  lp_snapshot *s = m->snapshot;
  const uint64_t bit = 1ull << slot % 64;
  if (s->count >= m->room || (m->taken[slot / 64] & bit)) {
    content_unref(content);
    return LP_E_ARGUMENT;
  }
  m->taken[slot / 64] |= bit;
  s->tracks[s->count++] = (lp_track){ slot, { gain[0], gain[1] }, content };
  m->places += content->count;
  return m->places > LP_MAX_PLACES ? LP_E_LIMIT : LP_OK;
}

static int tracks_unpack(reader *r, making *m, const lp_snapshot *last, const lp_block_index *index) {
  uint16_t index_of[LP_MAX_TRACKS] = { 0 }; /* by slot, in `last`, plus 1 */
  for (uint32_t i = 0; i < last->count; i++) index_of[last->tracks[i].slot] = (uint16_t)(i + 1);
  while (m->snapshot->count < m->room) {
    uint32_t slot = take_u32(r), pieces = take_u32(r);
    float gain[2];
    for (int side = 0; side < 2; side++) gain[side] = take_f32(r);
    uint32_t flags = take_u32(r);
    take_u32(r);
    int result = LP_OK;
    if (!r->ok) return LP_E_ARGUMENT;
    if (flags == 2) {
      if (!pieces || slot > last->count || pieces > last->count - slot) return LP_E_ARGUMENT;
      for (uint32_t i = slot; i < slot + pieces && !result; i++) {
        last->tracks[i].content->refs++;
        result = add_track(m, last->tracks[i].slot, last->tracks[i].gain, last->tracks[i].content);
      }
      if (result) return result;
      continue;
    }
    if (slot >= LP_MAX_TRACKS || flags > 1 || !gain_sane(gain[0]) || !gain_sane(gain[1])) return LP_E_ARGUMENT;
    lp_content *content = index_of[slot] ? last->tracks[index_of[slot] - 1].content : NULL;
    if (flags & 1) {
      if (content) content->refs++;
    } else {
      content = content_unpack(r, pieces, content, index);
    }
    if (!content) return LP_E_ARGUMENT;
    result = add_track(m, slot, gain, content);
    if (result) return result;
  }
  return LP_OK;
}

int lp_snapshot_unpack(const uint8_t *packed, uint32_t bytes, const lp_snapshot *last, lp_block_index *index, lp_source_lookup lookup, void *context,
                       lp_snapshot **out, lp_map_step **steps_out, uint32_t *step_count) {
  reader r = { packed, packed + bytes, true };
  uint32_t magic = take_u32(&r), all = take_u32(&r);
  double revision;
  take(&r, &revision, sizeof revision);
  uint32_t steps = take_u32(&r), blocks = take_u32(&r), tracks = take_u32(&r), keeps = take_u32(&r);
  if (!r.ok || magic != LP_PACK_MAGIC || all != bytes || !isfinite(revision)) return LP_E_ARGUMENT;
  if (tracks > LP_MAX_TRACKS) return LP_E_LIMIT;
  if (blocks > bytes / 48 || steps > bytes / 24 || keeps > bytes / 8) return LP_E_ARGUMENT;

  int result = LP_E_MEMORY;
  lp_snapshot *s = calloc(1, sizeof *s + tracks * sizeof(lp_track));
  lp_map_step *map = steps ? malloc(steps * sizeof *map) : NULL;
  keep *kept = keeps ? malloc(keeps * sizeof *kept) : NULL;
  lp_block **made = calloc(blocks ? blocks : 1, sizeof *made);
  uint32_t made_count = 0;
  if (!s || !made || (steps && !map) || (keeps && !kept)) goto done;
  s->refs = 1;
  s->revision = revision;

  result = LP_E_ARGUMENT;
  for (uint32_t i = 0; i < steps; i++) {
    map[i].at = take_frames(&r);
    map[i].remove = take_frames(&r);
    map[i].insert = take_frames(&r);
    if (map[i].at < 0 || map[i].remove < 0 || map[i].insert < 0) goto done;
  }
  for (uint32_t i = 0; i < keeps; i++) {
    uint32_t id = take_u32(&r), flag = take_u32(&r);
    kept[i] = (keep){ id, flag != 0 };
    if (!r.ok || flag > 1 || !lp_block_index_get(index, id)) goto done;
  }
  for (uint32_t i = 0; i < blocks; i++) {
    lp_block *b = block_unpack(&r, index, lookup, context);
    if (!b) goto done;
    made[made_count++] = b;
    if (!lp_block_index_put(index, b)) {
      result = LP_E_MEMORY;
      goto done;
    }
  }
  making m = { .snapshot = s, .room = tracks };
  result = tracks_unpack(&r, &m, last, index);
  if (result) goto done;
  if (!r.ok || r.at != r.end) {
    result = LP_E_ARGUMENT;
    goto done;
  }
  for (uint32_t i = 0; i < keeps; i++) {
    /* One that is named twice may be gone by now. */
    lp_block *b = lp_block_index_get(index, kept[i].id);
    if (b) lp_block_keep(b, kept[i].kept);
  }
  *out = s;
  *steps_out = map;
  *step_count = steps;
  s = NULL;
  map = NULL;

done:
  /* The snapshot's places hold the new blocks from here on; ours was the maker's reference. */
  for (uint32_t i = 0; i < made_count; i++) block_unref(made[i]);
  if (s) lp_snapshot_unref(s);
  free(map);
  free(kept);
  free(made);
  return result;
}

/* ---- reading ---- */

/* First place whose reach is beyond `frame`. */
static uint32_t first_place(const lp_content *c, int64_t frame) {
  uint32_t lo = 0, hi = c->count;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    if (c->places[mid].reach > frame) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

/* First clip of a block whose reach is beyond `frame` (relative). */
static uint32_t first_clip(const lp_block *b, int64_t frame) {
  uint32_t lo = 0, hi = b->count;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    if (b->reach[mid] > frame) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

static lp_found found_at(const lp_content *c, uint32_t place, uint32_t index) {
  const lp_place *p = &c->places[place];
  const lp_clip *clip = &p->block->clips[index];
  return (lp_found){ clip, p->start + clip->at, p->start + clip->at + clip->length, place, index };
}

#define NOT_YET UINT32_MAX

lp_walk lp_content_walk(const lp_content *c, int64_t from, int64_t to) { return (lp_walk){ c, from, to, first_place(c, from), NOT_YET }; }

bool lp_walk_next(lp_walk *w, lp_found *out) {
  for (; w->place < w->content->count; w->place++, w->index = NOT_YET) {
    const lp_place *place = &w->content->places[w->place];
    if (w->index == NOT_YET) {
      if (place->start >= w->to) return false;
      if (place->start + place->block->max_end <= w->from) continue;
      w->index = first_clip(place->block, w->from - place->start);
    }
    while (w->index < place->block->count) {
      *out = found_at(w->content, w->place, w->index++);
      if (out->start >= w->to) return false;
      if (out->end > w->from) return true;
    }
  }
  return false;
}

uint32_t lp_walk_take(lp_walk *w, lp_found *out, uint32_t max) {
  uint32_t n = 0;
  lp_found f;
  while (lp_walk_next(w, &f)) {
    if (n == max) {
      memmove(out, out + 1, (max - 1) * sizeof *out);
      n--;
    }
    out[n++] = f;
  }
  return n;
}

uint32_t lp_content_find(const lp_content *c, int64_t from, int64_t to, lp_found *out, uint32_t max) {
  lp_walk w = lp_content_walk(c, from, to);
  return lp_walk_take(&w, out, max);
}

bool lp_content_under(const lp_content *c, const lp_found *f, lp_found *out) {
  uint32_t p = f->place, i = f->index;
  for (;;) {
    const lp_place *place = &c->places[p];
    while (i > 0) {
      if (place->start + place->block->reach[i - 1] <= f->start) {
        i = 0; /* nothing earlier in this block reaches so far */
        break;
      }
      i--;
      lp_found e = found_at(c, p, i);
      if (e.end > f->start) {
        *out = e;
        return true;
      }
    }
    if (p == 0 || c->places[p - 1].reach <= f->start) return false;
    p--;
    i = c->places[p].block->count;
  }
}

bool lp_content_next(const lp_content *c, const lp_found *f, lp_found *out) {
  uint32_t p = f->place, i = f->index + 1;
  if (i >= c->places[p].block->count) {
    p++;
    i = 0;
  }
  if (p >= c->count) return false;
  *out = found_at(c, p, i);
  return true;
}

/* The last clip in order that begins before `frame`, at or after place `from`, of which the first clip does. */
static void last_before(const lp_content *c, uint32_t from, int64_t frame, uint32_t *place, uint32_t *index) {
  uint32_t lo = from, hi = c->count - 1;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo + 1) / 2;
    if (c->places[mid].start + c->places[mid].block->clips[0].at < frame) lo = mid;
    else hi = mid - 1;
  }
  *place = lo;
  const lp_place *p = &c->places[lo];
  lo = 0;
  hi = p->block->count - 1;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo + 1) / 2;
    if (p->start + p->block->clips[mid].at < frame) lo = mid;
    else hi = mid - 1;
  }
  *index = lo;
}

bool lp_content_spans_end(const lp_content *c, const lp_found *f) {
  lp_found next;
  if (!lp_content_next(c, f, &next) || next.start >= f->end) return false;
  uint32_t p, i;
  last_before(c, f->place, f->end, &p, &i);
  for (;; p--) {
    const lp_place *place = &c->places[p];
    if (place->reach <= f->end) return false; /* nothing up to here goes beyond */
    if (place->start + place->block->max_end > f->end) {
      const uint32_t first = p == f->place ? f->index + 1 : 0;
      for (; i + 1 > first && place->start + place->block->reach[i] > f->end; i--)
        if (place->start + place->block->clips[i].at + place->block->clips[i].length > f->end) return true;
    }
    if (p == f->place) return false;
    i = c->places[p - 1].block->count - 1;
  }
}
