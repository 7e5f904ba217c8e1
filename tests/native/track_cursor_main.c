/* Tests of the cursor that finds what lies at a head, and of the index of blocks: track_cursor_main <seed> <rounds>.
 *
 * A cursor that goes on, jumps, and is led from content to content finds what a search through all finds. Played straight through, a hundred thousand
 * clips cost one search. Blocks that are kept are there for another edit when no snapshot has them, and gone when they are not kept. */
#include <string.h>

#include "track_cursor.h"
#include "packer.h"
#include "store_support.h"

enum { LIVE = 5 };

static lp_source *no_source(void *context, uint32_t handle) {
  (void)context;
  (void)handle;
  return NULL;
}

static int64_t whole(uint64_t *random, int64_t n) { return (int64_t)((uint64_t)next_random(random) * (uint64_t)n >> 32); }

static lp_snapshot *unpack(const packed *p, const lp_snapshot *last, lp_block_index *index) {
  lp_snapshot *s = NULL;
  lp_map_step *steps = NULL;
  uint32_t step_count;
  int result = lp_snapshot_unpack(p->bytes, (uint32_t)p->count, last, index, no_source, NULL, &s, &steps, &step_count);
  CHECK(result == LP_OK, "unpack: %d", result);
  free(steps);
  return s;
}

static void ask(lp_track_cursor *k, const lp_content *c, int64_t from, int64_t n) {
  lp_found a[LIVE], b[LIVE];
  const bool rests = lp_track_cursor_rests(k, c, from, from + n);
  const uint32_t found = lp_content_find(c, from, from + n, a, LIVE), got = lp_track_cursor_find(k, c, from, from + n, b, LIVE);
  CHECK(found == got, "at %lld + %lld: %u instead of %u", (long long)from, (long long)n, got, found);
  for (uint32_t i = 0; i < found; i++)
    CHECK(a[i].clip == b[i].clip && a[i].start == b[i].start && a[i].end == b[i].end && a[i].place == b[i].place && a[i].index == b[i].index,
          "at %lld + %lld: the %u. is another", (long long)from, (long long)n, i);
  CHECK(!rests || !found, "at %lld it rests on %u clips", (long long)from, found);
}

/* Periods, parts of periods asked again, seeks ahead and back, loops, and edits on the way. */
static void wander(uint64_t seed, uint64_t rounds) {
  static mix_model m;
  uint64_t random = seed, rested = 0, asked = 0;
  packed p = { 0 };
  mix_init(&m, seed);
  m.source_frames = 1000;
  lp_block_index index = { 0 };
  lp_snapshot *last = lp_snapshot_empty();
  static lp_track_cursor cursors[LP_MAX_TRACKS];
  bool valid = false;
  for (uint64_t round = 0; round < rounds; round++) {
    if (!valid || !whole(&random, 4)) mix_full(&m, &p);
    else mix_any(&m, &p);
    valid = true;
    lp_snapshot *s = unpack(&p, last, &index);
    for (uint32_t t = 0; t < s->count; t++) {
      const lp_content *before = NULL;
      for (uint32_t k = 0; k < last->count; k++)
        if (last->tracks[k].slot == s->tracks[t].slot) before = last->tracks[k].content;
      if (before != s->tracks[t].content) lp_track_cursor_forget(&cursors[s->tracks[t].slot]);
    }
    lp_snapshot_unref(last);
    last = s;
    for (uint32_t t = 0; t < s->count; t++) {
      const lp_content *c = s->tracks[t].content;
      lp_track_cursor *k = &cursors[s->tracks[t].slot];
      int64_t at = whole(&random, 90000);
      const int64_t loop = whole(&random, 90000), length = 1 + whole(&random, 3000), period = 1 + whole(&random, 700);
      const bool loops = whole(&random, 3) == 0;
      for (int i = 0; i < 60; i++) {
        rested += lp_track_cursor_rests(k, c, at, at + period);
        asked++;
        ask(k, c, at, period);
        if (!whole(&random, 5)) { /* a crowd is looked at part by part */
          ask(k, c, at, (period + 1) / 2);
          ask(k, c, at + period / 2, period - period / 2);
        }
        at += period;
        ask(k, c, at, 1); /* may the next go the quick way? */
        if (loops && at >= loop + length) at = loop;
        if (!whole(&random, 20)) at = whole(&random, 100000);
        if (!whole(&random, 40)) ask(k, c, at - whole(&random, 5000), 1 + whole(&random, 20000));
      }
    }
  }
  CHECK(rested > asked / 20, "it rested %llu times of %llu", (unsigned long long)rested, (unsigned long long)asked);
  lp_snapshot_unref(last);
  CHECK(index.count == 0, "%u blocks are left", index.count);
  lp_block_index_free(&index);
  free(p.bytes);
}

static void put_clip(packed *p, uint32_t uid, int64_t at, int64_t length) {
  packed_u32(p, uid);
  packed_u32(p, 0);
  packed_f64(p, (double)at);
  packed_f64(p, (double)length);
  packed_f64(p, 0);
  packed_f64(p, 1); /* its frames as they lie */
  for (int i = 0; i < 2; i++) packed_f64(p, 0);
  packed_f32(p, 1);
  packed_u32(p, 0);
}

static void begin(packed *p, uint32_t blocks, uint32_t tracks, uint32_t keeps) {
  p->count = 0;
  packed_u32(p, LP_PACK_MAGIC);
  packed_u32(p, 0);
  packed_f64(p, 1);
  packed_u32(p, 0);
  packed_u32(p, blocks);
  packed_u32(p, tracks);
  packed_u32(p, keeps);
}

static void put_block(packed *p, uint32_t id, uint32_t clips, int64_t step, int64_t length) {
  packed_u32(p, id);
  for (int i = 0; i < 3; i++) packed_u32(p, 0);
  for (int i = 0; i < 2; i++) packed_f64(p, 0);
  packed_u32(p, clips);
  packed_u32(p, 0);
  for (uint32_t i = 0; i < clips; i++) put_clip(p, id * 256 + i, i * step, length);
}

static void put_track(packed *p, uint32_t slot, uint32_t pieces, uint32_t flags) {
  packed_u32(p, slot);
  packed_u32(p, pieces);
  for (int i = 0; i < 2; i++) packed_f32(p, flags == 2 ? 0 : 1);
  packed_u32(p, flags);
  packed_u32(p, 0);
}

static void put_piece(packed *p, uint32_t block, int64_t at) {
  packed_u32(p, 1);
  packed_u32(p, block);
  for (int i = 0; i < 2; i++) packed_u32(p, 0);
  packed_f64(p, (double)at);
}

static void end(packed *p) {
  const uint32_t all = (uint32_t)p->count;
  memcpy(p->bytes + 4, &all, sizeof all);
}

enum { BLOCKS = 400, CLIPS = 250, STEP = 480, LENGTH = 470 };

static void play_through(void) {
  packed p = { 0 };
  begin(&p, BLOCKS, 1, 0);
  for (uint32_t b = 1; b <= BLOCKS; b++) put_block(&p, b, CLIPS, STEP, LENGTH);
  put_track(&p, 0, BLOCKS, 0);
  for (uint32_t b = 1; b <= BLOCKS; b++) put_piece(&p, b, (int64_t)(b - 1) * CLIPS * STEP);
  end(&p);
  lp_block_index index = { 0 };
  lp_snapshot *empty = lp_snapshot_empty(), *s = unpack(&p, empty, &index);
  const lp_content *c = s->tracks[0].content;
  lp_track_cursor k = { 0 };
  uint64_t met = 0;
  for (int64_t at = 0; at < (int64_t)BLOCKS * CLIPS * STEP; at += 256) {
    lp_found found[LIVE];
    const uint32_t n = lp_track_cursor_find(&k, c, at, at + 256, found, LIVE);
    for (uint32_t i = 0; i < n; i++) met += found[i].start >= at;
  }
  CHECK(met == (uint64_t)BLOCKS * CLIPS, "%llu clips were met", (unsigned long long)met);
  CHECK(k.searches == 1, "%u searches", k.searches);
  lp_snapshot_unref(s);
  lp_snapshot_unref(empty);
  CHECK(index.count == 0, "%u blocks are left", index.count);
  lp_block_index_free(&index);
  free(p.bytes);
}

static int try_unpack(const packed *p, const lp_snapshot *last, lp_block_index *index) {
  lp_snapshot *s = NULL;
  lp_map_step *steps = NULL;
  uint32_t step_count;
  int result = lp_snapshot_unpack(p->bytes, (uint32_t)p->count, last, index, no_source, NULL, &s, &steps, &step_count);
  if (result == LP_OK) {
    lp_snapshot_unref(s);
    free(steps);
  }
  return result;
}

/* A track with two blocks goes; one of them is kept and comes back by its id, the other is gone. Then nothing is kept. */
static void keep(void) {
  packed p = { 0 };
  lp_block_index index = { 0 };
  lp_snapshot *s[6] = { lp_snapshot_empty() };
  begin(&p, 3, 3, 0);
  for (uint32_t b = 1; b <= 3; b++) put_block(&p, b, 10, 100, 100);
  for (uint32_t t = 0; t < 3; t++) {
    put_track(&p, t, t == 1 ? 2 : 1, 0);
    put_piece(&p, t == 0 ? 1 : t == 1 ? 2 : 3, 0);
    if (t == 1) put_piece(&p, 3, 5000);
  }
  end(&p);
  s[1] = unpack(&p, s[0], &index);
  CHECK(index.count == 3, "%u blocks", index.count);

  /* Tracks 1 and 2 go, the first one stays as a run of one. */
  begin(&p, 0, 1, 1);
  packed_u32(&p, 2);
  packed_u32(&p, 1);
  put_track(&p, 0, 1, 2);
  end(&p);
  s[2] = unpack(&p, s[1], &index);
  CHECK(s[2]->count == 1 && s[2]->tracks[0].content == s[1]->tracks[0].content && s[2]->tracks[0].gain[0] == 1, "the run");
  lp_snapshot_unref(s[1]);
  CHECK(index.count == 2 && lp_block_index_get(&index, 2) && !lp_block_index_get(&index, 3), "%u blocks: the kept one stays", index.count);

  /* What is refused keeps nothing and lets go of nothing. */
  begin(&p, 0, 2, 2);
  for (uint32_t id = 1; id <= 2; id++) {
    packed_u32(&p, id);
    packed_u32(&p, id == 1);
  }
  put_track(&p, 0, 1, 2);
  put_track(&p, 1, 1, 0);
  put_piece(&p, 3, 0);
  end(&p);
  CHECK(try_unpack(&p, s[2], &index) == LP_E_ARGUMENT, "a block that is gone is named");
  CHECK(!lp_block_index_get(&index, 1)->kept && lp_block_index_get(&index, 2)->kept, "refused, and told all the same");

  /* Runs beyond the end, of nothing, over a slot twice: refused. */
  const struct { uint32_t slot, count, tracks; } wrong[] = { { 0, 2, 2 }, { 1, 1, 1 }, { 2, 1, 1 }, { 0, 0, 1 }, { UINT32_MAX, 2, 2 }, { 0, UINT32_MAX, 1 } };
  for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    begin(&p, 0, wrong[i].tracks, 0);
    put_track(&p, wrong[i].slot, wrong[i].count, 2);
    end(&p);
    CHECK(try_unpack(&p, s[2], &index) == LP_E_ARGUMENT, "wrong run %u", i);
  }
  begin(&p, 0, 2, 0);
  for (int i = 0; i < 2; i++) put_track(&p, 0, 1, 2);
  end(&p);
  CHECK(try_unpack(&p, s[2], &index) == LP_E_ARGUMENT, "a track twice");

  /* It comes back by its id, under another slot, and is kept no longer. */
  begin(&p, 0, 2, 1);
  packed_u32(&p, 2);
  packed_u32(&p, 0);
  put_track(&p, 0, 1, 2);
  put_track(&p, 7, 1, 0);
  put_piece(&p, 2, 300);
  end(&p);
  s[3] = unpack(&p, s[2], &index);
  CHECK(s[3]->tracks[1].content->places[0].block == lp_block_index_get(&index, 2) && s[3]->tracks[1].content->places[0].start == 300, "it is back");
  CHECK(!lp_block_index_get(&index, 2)->kept, "it is kept no longer");
  lp_snapshot_unref(s[2]);
  lp_snapshot_unref(s[3]);
  CHECK(index.count == 0, "%u blocks are left", index.count);
  lp_snapshot_unref(s[0]);

  /* What is still kept in the end goes with the index. */
  s[0] = lp_snapshot_empty();
  begin(&p, 1, 1, 0);
  put_block(&p, 9, 3, 10, 10);
  put_track(&p, 0, 1, 0);
  put_piece(&p, 9, 0);
  end(&p);
  s[1] = unpack(&p, s[0], &index);
  lp_block_keep(lp_block_index_get(&index, 9), true);
  lp_snapshot_unref(s[1]);
  lp_snapshot_unref(s[0]);
  lp_block_index_free(&index);
  free(p.bytes);
}

int main(int argc, char **argv) {
  const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 400;
  play_through();
  keep();
  for (uint64_t i = 0; i < 4; i++) wander(seed + i, rounds);
  printf("ok\n");
  return 0;
}
