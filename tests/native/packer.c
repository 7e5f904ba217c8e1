#include "packer.h"

#include <stdlib.h>
#include <string.h>

#include "store_support.h"

/* ---- bytes --------------------------------------------------------------------------------------------------- */

static void put(packed *p, const void *v, size_t n) {
  if (p->count + n > p->room) {
    p->room = (p->count + n) * 2;
    p->bytes = realloc(p->bytes, p->room);
    CHECK(p->bytes, "no memory for %zu bytes", p->room);
  }
  memcpy(p->bytes + p->count, v, n);
  p->count += n;
}

void packed_u32(packed *p, uint32_t v) { put(p, &v, sizeof v); }
void packed_f32(packed *p, float v) { put(p, &v, sizeof v); }
void packed_f64(packed *p, double v) { put(p, &v, sizeof v); }

static void begin(packed *p, const mix_model *m, uint32_t steps) {
  p->count = 0;
  packed_u32(p, 0x314B504Cu);
  packed_u32(p, 0);
  packed_f64(p, m->revision);
  packed_u32(p, steps);
  packed_u32(p, 0); /* blocks: set_blocks */
  packed_u32(p, m->count);
  packed_u32(p, 0);
}

static void set_blocks(packed *p, uint32_t blocks) { memcpy(p->bytes + 20, &blocks, sizeof blocks); }

static void end(packed *p) {
  uint32_t all = (uint32_t)p->count;
  memcpy(p->bytes + 4, &all, sizeof all);
}

static void put_step(packed *p, int64_t at, int64_t removed, int64_t inserted) {
  packed_f64(p, (double)at);
  packed_f64(p, (double)removed);
  packed_f64(p, (double)inserted);
}

static void put_block(packed *p, uint32_t id, uint32_t base, uint32_t prefix, uint32_t suffix, int64_t prefix_shift, int64_t suffix_shift,
                      const mix_clip *inserted, uint32_t count) {
  packed_u32(p, id);
  packed_u32(p, base);
  packed_u32(p, prefix);
  packed_u32(p, suffix);
  packed_f64(p, (double)prefix_shift);
  packed_f64(p, (double)suffix_shift);
  packed_u32(p, count);
  packed_u32(p, 0);
  for (uint32_t i = 0; i < count; i++) {
    const mix_clip *c = &inserted[i];
    packed_u32(p, c->uid);
    packed_u32(p, c->source);
    packed_f64(p, (double)c->at);
    packed_f64(p, (double)c->length);
    packed_f64(p, (double)c->first + c->beyond);
    packed_f64(p, c->step);
    packed_f64(p, (double)c->fade_in);
    packed_f64(p, (double)c->fade_out);
    packed_f32(p, c->gain);
    packed_u32(p, c->shapes);
  }
}

static void put_track(packed *p, const mix_track *t, uint32_t pieces, bool as_it_was) {
  packed_u32(p, t->slot);
  packed_u32(p, pieces);
  packed_f32(p, t->gain[0]);
  packed_f32(p, t->gain[1]);
  packed_u32(p, as_it_was);
  packed_u32(p, 0);
}

static void put_places(packed *p, uint32_t from, uint32_t count, int64_t shift) {
  packed_u32(p, 0);
  packed_u32(p, from);
  packed_u32(p, count);
  packed_u32(p, 0);
  packed_f64(p, (double)shift);
}

static void put_piece(packed *p, uint32_t block, int64_t at) {
  packed_u32(p, 1);
  packed_u32(p, block);
  packed_u32(p, 0);
  packed_u32(p, 0);
  packed_f64(p, (double)at);
}

/* ---- the model ------------------------------------------------------------------------------------------------ */

static int64_t below(mix_model *m, int64_t n) { return n > 0 ? (int64_t)((uint64_t)next_random(&m->random) * (uint64_t)n >> 32) : 0; }

void mix_init(mix_model *m, uint64_t seed) {
  memset(m, 0, sizeof *m);
  m->random = seed;
  m->next_id = m->next_uid = 1;
  m->spread = 60000;
  m->odd = 15;
}

/* The dearest are rare, since sanitizers make them dearer. */
static double random_step(mix_model *m) {
  static const double STEPS[] = { 1, 1.5, 0.75, 2, 0.0625, 1.1015625 };
  const double step = below(m, 12) ? STEPS[below(m, 6)] : 16;
  return below(m, 2) ? step : -step;
}

static mix_clip random_clip(mix_model *m, int64_t at) {
  const bool odd = m->odd && below(m, 100) < m->odd;
  int64_t length = below(m, 6) ? 1 + below(m, 20000) : 1 + below(m, 3);
  return (mix_clip){ .uid = m->next_uid++,
                     .source = m->source_count && below(m, 30) ? m->sources[below(m, m->source_count)] : 0,
                     .shapes = (uint32_t)below(m, 4),
                     .at = at,
                     .length = length,
                     .first = below(m, m->source_frames + 4000) - 2000,
                     .beyond = odd && below(m, 2) ? (double)below(m, 1 << 24) / (1 << 24) : 0,
                     .step = odd ? random_step(m) : 1,
                     .fade_in = below(m, 3) ? 0 : below(m, length + 10),
                     .fade_out = below(m, 3) ? 0 : below(m, length + 10),
                     .gain = (float)below(m, 1000) / 1000.0f };
}

static void random_gains(mix_model *m, mix_track *t) {
  for (int side = 0; side < 2; side++) t->gain[side] = below(m, 6) ? (float)below(m, 1000) / 1000.0f : 0.0f;
  if (!below(m, 8)) t->gain[0] = t->gain[1] = 0.0f;
}

static void random_track(mix_model *m, mix_track *t) {
  random_gains(m, t);
  t->count = 1 + (uint32_t)below(m, MIX_BLOCKS);
  int64_t start = m->around + below(m, m->spread / 2);
  for (uint32_t b = 0; b < t->count; b++) {
    mix_block *k = &t->blocks[b];
    *k = (mix_block){ .id = m->next_id++, .start = start, .count = 1 + (uint32_t)below(m, MIX_CLIPS / 2) };
    int64_t at = 0;
    for (uint32_t i = 0; i < k->count; i++) {
      k->clips[i] = random_clip(m, at);
      if (below(m, 4)) at += below(m, 9000);
    }
    start += at + below(m, 9000);
  }
}

static uint32_t free_slot(mix_model *m) {
  for (;;) {
    uint32_t slot = below(m, 5) ? (uint32_t)below(m, MIX_TRACKS + 2) : 1000 + (uint32_t)below(m, 24);
    bool used = false;
    for (uint32_t t = 0; t < m->count; t++) used = used || m->tracks[t].slot == slot;
    if (!used) return slot;
  }
}

static void put_all_tracks(const mix_model *m, packed *out) {
  uint32_t blocks = 0;
  for (uint32_t t = 0; t < m->count; t++)
    for (uint32_t b = 0; b < m->tracks[t].count; b++, blocks++) {
      const mix_block *k = &m->tracks[t].blocks[b];
      put_block(out, k->id, 0, 0, 0, 0, 0, k->clips, k->count);
    }
  for (uint32_t t = 0; t < m->count; t++) {
    const mix_track *track = &m->tracks[t];
    put_track(out, track, track->count, false);
    for (uint32_t b = 0; b < track->count; b++) put_piece(out, track->blocks[b].id, track->blocks[b].start);
  }
  set_blocks(out, blocks);
}

void mix_full(mix_model *m, packed *out) {
  m->revision++;
  m->count = 0;
  uint32_t tracks = 1 + (uint32_t)below(m, MIX_TRACKS);
  while (m->count < tracks) {
    m->tracks[m->count].slot = free_slot(m);
    random_track(m, &m->tracks[m->count]);
    m->count++;
  }
  begin(out, m, 0);
  put_all_tracks(m, out);
  end(out);
}

void mix_splice(mix_model *m, packed *out) {
  uint32_t chosen = (uint32_t)below(m, m->count);
  mix_track *t = m->count ? &m->tracks[chosen] : NULL;
  if (!t || !t->count) {
    mix_full(m, out);
    return;
  }
  m->revision++;
  uint32_t b = (uint32_t)below(m, t->count);
  mix_block old = t->blocks[b], *k = &t->blocks[b];
  uint32_t prefix = (uint32_t)below(m, old.count + 1), suffix = (uint32_t)below(m, old.count - prefix + 1);
  uint32_t inserted = (uint32_t)below(m, 4);
  if (prefix + suffix + inserted == 0) inserted = 1;
  if (prefix + suffix + inserted > MIX_CLIPS) inserted = MIX_CLIPS - prefix - suffix;
  int64_t low = old.clips[prefix ? prefix - 1 : 0].at, high = suffix ? old.clips[old.count - suffix].at : low + 5000;
  k->id = m->next_id++;
  k->count = prefix + inserted + suffix;
  int64_t at = low;
  for (uint32_t i = 0; i < inserted; i++) {
    k->clips[prefix + i] = random_clip(m, at);
    at += below(m, (high - at) / 2 + 1);
  }
  for (uint32_t i = 0; i < suffix; i++) k->clips[prefix + inserted + i] = old.clips[old.count - suffix + i];
  /* The block after it must not begin earlier than this one's last clip. */
  if (b + 1 < t->count && !suffix && t->blocks[b + 1].start + t->blocks[b + 1].clips[0].at < k->start + k->clips[k->count - 1].at) {
    for (uint32_t i = 0; i < inserted; i++) k->clips[prefix + i].at = low;
  }
  begin(out, m, 0);
  put_block(out, k->id, old.id, prefix, suffix, 0, 0, k->clips + prefix, inserted);
  set_blocks(out, 1);
  for (uint32_t i = 0; i < m->count; i++) {
    if (i != chosen) {
      put_track(out, &m->tracks[i], 0, true);
      continue;
    }
    put_track(out, t, 3, false);
    put_places(out, 0, b, 0);
    put_piece(out, k->id, k->start);
    put_places(out, b + 1, t->count - b - 1, 0);
  }
  end(out);
}

/* One track's part of a ripple: blocks that are cut in two are packed by their base, the others move as they are. Returns blocks packed. */
static uint32_t ripple_blocks(mix_model *m, mix_track *t, int64_t at, int64_t removed, int64_t inserted, packed *out) {
  uint32_t packed_blocks = 0, kept = 0;
  const int64_t shift = inserted - removed;
  for (uint32_t b = 0; b < t->count; b++) {
    mix_block k = t->blocks[b];
    uint32_t prefix = 0, suffix = 0;
    for (uint32_t i = 0; i < k.count; i++) {
      if (k.start + k.clips[i].at < at) prefix++;
      else if (k.start + k.clips[i].at >= at + removed) suffix++;
    }
    if (prefix + suffix == 0) continue;
    mix_block n = { .id = k.id, .start = k.start, .count = prefix + suffix };
    if (suffix == k.count) {
      n.start += shift;
      memcpy(n.clips, k.clips, sizeof n.clips);
    } else if (prefix == k.count) {
      n = k;
    } else {
      n.id = m->next_id++;
      memcpy(n.clips, k.clips, prefix * sizeof *n.clips);
      for (uint32_t i = 0; i < suffix; i++) {
        n.clips[prefix + i] = k.clips[k.count - suffix + i];
        n.clips[prefix + i].at += shift;
      }
      put_block(out, n.id, k.id, prefix, suffix, 0, shift, NULL, 0);
      packed_blocks++;
    }
    t->blocks[kept++] = n;
  }
  t->count = kept;
  return packed_blocks;
}

void mix_ripple(mix_model *m, packed *out) {
  if (!m->count) {
    mix_full(m, out);
    return;
  }
  m->revision++;
  int64_t at = m->around + below(m, m->spread), removed = 0, inserted = 0;
  if (below(m, 2)) inserted = 1 + below(m, 3000);
  else removed = 1 + below(m, 3000);
  begin(out, m, 1);
  put_step(out, at, removed, inserted);
  static mix_track before[MIX_TRACKS];
  uint32_t blocks = 0;
  bool ok = true;
  for (uint32_t t = 0; t < m->count; t++) {
    before[t] = m->tracks[t];
    blocks += ripple_blocks(m, &m->tracks[t], at, removed, inserted, out);
    for (uint32_t b = 0; b < m->tracks[t].count; b++)
      for (uint32_t i = 0; i < m->tracks[t].blocks[b].count; i++) ok = ok && m->tracks[t].blocks[b].clips[i].at >= 0;
    for (uint32_t b = 0; b < m->tracks[t].count; b++) ok = ok && m->tracks[t].blocks[b].start >= 0;
  }
  if (!ok) { /* a clip would stand before its block: the packer of the engine makes such a block anew, this one makes all anew */
    mix_full(m, out);
    return;
  }
  set_blocks(out, blocks);
  for (uint32_t t = 0; t < m->count; t++) {
    const mix_track *track = &m->tracks[t];
    put_track(out, track, track->count, false);
    for (uint32_t b = 0; b < track->count; b++) {
      uint32_t was = 0;
      while (was < before[t].count && before[t].blocks[was].id != track->blocks[b].id) was++;
      if (was < before[t].count) put_places(out, was, 1, track->blocks[b].start - before[t].blocks[was].start);
      else put_piece(out, track->blocks[b].id, track->blocks[b].start);
    }
  }
  end(out);
}

void mix_gains(mix_model *m, packed *out) {
  m->revision++;
  begin(out, m, 0);
  for (uint32_t t = 0; t < m->count; t++) {
    if (below(m, 2)) random_gains(m, &m->tracks[t]);
    put_track(out, &m->tracks[t], 0, true);
  }
  end(out);
}

void mix_come_and_go(mix_model *m, packed *out) {
  m->revision++;
  uint32_t fresh = UINT32_MAX;
  if (m->count > 1 && (m->count == MIX_TRACKS || below(m, 2))) {
    uint32_t gone = (uint32_t)below(m, m->count--);
    memmove(&m->tracks[gone], &m->tracks[gone + 1], (m->count - gone) * sizeof *m->tracks);
  } else {
    fresh = m->count;
    m->tracks[fresh].slot = free_slot(m);
    random_track(m, &m->tracks[fresh]);
    m->count++;
  }
  begin(out, m, 0);
  if (fresh != UINT32_MAX) {
    const mix_track *t = &m->tracks[fresh];
    for (uint32_t b = 0; b < t->count; b++) put_block(out, t->blocks[b].id, 0, 0, 0, 0, 0, t->blocks[b].clips, t->blocks[b].count);
    set_blocks(out, t->count);
  }
  for (uint32_t i = 0; i < m->count; i++) {
    const mix_track *t = &m->tracks[i];
    put_track(out, t, i == fresh ? t->count : 0, i != fresh);
    for (uint32_t b = 0; i == fresh && b < t->count; b++) put_piece(out, t->blocks[b].id, t->blocks[b].start);
  }
  end(out);
}

void mix_any(mix_model *m, packed *out) {
  switch (below(m, 12)) {
    case 0: mix_full(m, out); break;
    case 1:
    case 2: mix_come_and_go(m, out); break;
    case 3:
    case 4: mix_gains(m, out); break;
    case 5:
    case 6:
    case 7: mix_ripple(m, out); break;
    default: mix_splice(m, out); break;
  }
}
