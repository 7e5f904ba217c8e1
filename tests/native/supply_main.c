/* Tests in C of what is had when there is too little, of time or of memory: supply_main <test> … or all. Each ends the process with 1 at its first failure. */
#include <math.h>
#include <string.h>

#include "engine_internal.h"
#include "packer.h"
#include "slow_disk.h"
#include "store_internal.h"
#include "store_support.h"

#define S 1000000000ull

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

/* Passes every 20 ms for a time with a slack. */
static void hold(lp_readahead *r, lp_supply *s, uint64_t slack_ns, uint64_t ns) {
  s->slack_ns = slack_ns;
  for (uint64_t t = 0; t < ns; t += 20 * MS) {
    s->now_ns += 20 * MS;
    lp_readahead_step(r, s);
  }
}

static void test_readahead(void) {
  CHECK(lp_readahead_ns(0) == 10 * S && lp_readahead_ns(1) == 15 * S && lp_readahead_ns(2) == 20 * S && lp_readahead_ns(3) == 30 * S, "the steps");
  lp_readahead r = { 0 };
  lp_supply s = { .now_ns = 5 * S, .wanted_ns = 10 * S };
  hold(&r, &s, 4 * S, S);
  CHECK(r.level == 0, "a moment is not enough");
  hold(&r, &s, 9 * S, 100 * MS);
  hold(&r, &s, 4 * S, S);
  CHECK(r.level == 0, "it begins anew after a good moment");
  hold(&r, &s, 4 * S, 40 * MS);
  CHECK(r.level == 1, "level %u", r.level);
  s.wanted_ns = 15 * S;
  hold(&r, &s, 7 * S, 3 * S);
  CHECK(r.level == 3, "level %u: a step a second", r.level);
  hold(&r, &s, 0, 10 * S);
  CHECK(r.level == 3, "no further");
  /* Neither late nor calm: it stays. */
  s.wanted_ns = 30 * S;
  hold(&r, &s, 18 * S, 60 * S);
  CHECK(r.level == 3, "level %u", r.level);
  hold(&r, &s, UINT64_MAX, 9 * S);
  hold(&r, &s, 18 * S, 20 * MS);
  hold(&r, &s, UINT64_MAX, 9 * S);
  CHECK(r.level == 3, "not calm for long enough");
  hold(&r, &s, 23 * S, 11 * S);
  CHECK(r.level == 2, "level %u", r.level);
  hold(&r, &s, UINT64_MAX, 60 * S);
  CHECK(r.level == 0, "back to the base, and no less");
  /* A read that hangs presses, whatever is there still. */
  s.stalled = true;
  hold(&r, &s, UINT64_MAX, S + 40 * MS);
  CHECK(r.level == 1, "level %u", r.level);
  lp_readahead first = { 0 };
  lp_supply zero = { .wanted_ns = 10 * S };
  lp_readahead_step(&first, &zero);
  CHECK(first.level == 0, "the clock begins at 0");
  lp_readahead_pause(&r);
  hold(&r, &s, UINT64_MAX, S);
  CHECK(r.level == 1, "what was before a pause does not count");
}

static uint32_t turns; /* of slow_disk */
static void hold_disk(lp_slow_disk *d, lp_supply *s, uint64_t slack_ns, uint64_t ns) {
  s->slack_ns = slack_ns;
  for (uint64_t t = 0; t < ns; t += 20 * MS) {
    bool before = d->slow;
    s->now_ns += 20 * MS;
    lp_slow_disk_step(d, s);
    turns += d->slow != before;
  }
}

static void test_slow_disk(void) {
  lp_slow_disk d = { 0 };
  lp_supply s = { .now_ns = S, .wanted_ns = 10 * S };
  hold_disk(&d, &s, 1100 * MS, 10 * S);
  hold_disk(&d, &s, 0, 80 * MS);
  CHECK(!d.slow, "right after a seek there is nothing for a moment");
  hold_disk(&d, &s, UINT64_MAX, S);
  hold_disk(&d, &s, 900 * MS, 140 * MS);
  CHECK(d.slow && turns == 1, "slow");
  /* Between little and enough nothing changes, and a good moment is not enough. */
  hold_disk(&d, &s, 1900 * MS, 10 * S);
  hold_disk(&d, &s, 5 * S, 400 * MS);
  hold_disk(&d, &s, 1900 * MS, 20 * MS);
  hold_disk(&d, &s, 5 * S, 400 * MS);
  CHECK(d.slow && turns == 1, "%u turns", turns);
  hold_disk(&d, &s, 2100 * MS, 600 * MS);
  CHECK(!d.slow && turns == 2, "fast");
  /* Where a read hangs it does not wait. */
  s.stalled = true;
  hold_disk(&d, &s, 1900 * MS, 20 * MS);
  CHECK(d.slow, "at once");
  hold_disk(&d, &s, UINT64_MAX, 10 * S);
  CHECK(d.slow, "not back while it hangs");
  s.stalled = false;
  hold_disk(&d, &s, UINT64_MAX, 600 * MS);
  CHECK(!d.slow, "back");
  /* With a budget of two pages a voice all of it is smaller. */
  s.wanted_ns = 170 * MS;
  hold_disk(&d, &s, 50 * MS, 10 * S);
  CHECK(!d.slow, "a quarter is there");
  hold_disk(&d, &s, 40 * MS, 140 * MS);
  CHECK(d.slow, "less");
  hold_disk(&d, &s, 85 * MS, 600 * MS);
  CHECK(!d.slow, "half of it is enough");
  CHECK(lp_slow_disk_skip_ns(10 * S) == 500 * MS && lp_slow_disk_skip_ns(170 * MS) == 42500000, "what is skipped");
}

/* ---- a rig: an engine stepped by hand, one clip a track ------------------------------------------------------------------- */

#define PAGE LP_S16_PAGE_FRAMES
#define MOST_PARTS 16

typedef struct part {
  uint32_t source;
  int64_t length;
  float gain; /* of the track */
  int64_t first;                   /* frame of the source */
  uint32_t then;                   /* a source right after it, 0: nothing, */
  int64_t then_first, then_length; /* from where and how long */
} part;

typedef struct rig {
  uint32_t engine, renderer, rate;
} rig;

static rig open_rig(uint32_t units, uint32_t rate) {
  int32_t e = lp_engine_create(rate, units * (double)LP_UNIT_BYTES, 1, LP_ENGINE_SINGLE_STEP | LP_ENGINE_MANUAL_CLOCK);
  CHECK(e > 0, "engine: %d", e);
  int32_t r = lp_renderer_create((uint32_t)e, 0);
  CHECK(r > 0, "renderer: %d", r);
  return (rig){ (uint32_t)e, (uint32_t)r, rate };
}

static void close_rig(rig *g) { CHECK(lp_engine_close(g->engine) == 0, "threads left"); }

/* A 16-bit file of which the disk holds nothing, made once for all that ask for the name. */
static uint32_t open_silence(const rig *g, const char *name, uint32_t channels, int64_t frames) {
  sound s = { .kind = S16, .channels = channels, .frames = frames, .rate = g->rate, .silent = true };
  snprintf(s.path, sizeof s.path, "%s/%s.wav", folder(), name);
  FILE *there = fopen(s.path, "rb");
  if (there) fclose(there);
  else make_sound(&s, NULL);
  lp_source_info info;
  int32_t handle = lp_source_open(g->engine, (const uint8_t *)s.path, (uint32_t)strlen(s.path), (uint8_t *)&info, sizeof info);
  CHECK(handle > 0, "%s: %d", s.path, handle);
  return (uint32_t)handle;
}

static void put_clip(packed *p, uint32_t id, uint32_t source, int64_t at, int64_t length, int64_t first) {
  packed_u32(p, id);
  packed_u32(p, source);
  packed_f64(p, (double)at);
  packed_f64(p, (double)length);
  packed_f64(p, (double)first);
  packed_f64(p, 1);
  for (int k = 0; k < 2; k++) packed_f64(p, 0);
  packed_f32(p, 1);
  packed_u32(p, 0);
}

/* A clip a track, or two, all from frame 0 on. */
static void publish(const rig *g, const part *parts, uint32_t count) {
  static uint32_t next_id = 1;
  static double revision;
  const uint32_t first_id = next_id;
  next_id += 2 * count;
  uint32_t clips = count;
  for (uint32_t i = 0; i < count; i++) clips += parts[i].then != 0;
  packed p = { 0 };
  packed_u32(&p, 0x314B504Cu);
  packed_u32(&p, 32 + count * (40 + 24 + 24) + clips * 64);
  packed_f64(&p, ++revision);
  packed_u32(&p, 0);
  packed_u32(&p, count);
  packed_u32(&p, count);
  packed_u32(&p, 0);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t block[4] = { first_id + i, 0, 0, 0 };
    for (int k = 0; k < 4; k++) packed_u32(&p, block[k]);
    packed_f64(&p, 0);
    packed_f64(&p, 0);
    packed_u32(&p, parts[i].then ? 2 : 1);
    packed_u32(&p, 0);
    put_clip(&p, first_id + i, parts[i].source, 0, parts[i].length, parts[i].first);
    if (parts[i].then) put_clip(&p, first_id + count + i, parts[i].then, parts[i].length, parts[i].then_length, parts[i].then_first);
  }
  for (uint32_t i = 0; i < count; i++) {
    packed_u32(&p, i);
    packed_u32(&p, 1);
    packed_f32(&p, parts[i].gain);
    packed_f32(&p, parts[i].gain);
    packed_u32(&p, 0);
    packed_u32(&p, 0);
    packed_u32(&p, 1);
    packed_u32(&p, first_id + i);
    packed_u32(&p, 0);
    packed_u32(&p, 0);
    packed_f64(&p, 0);
  }
  CHECK(lp_publish(g->renderer, p.bytes, (uint32_t)p.count) == LP_OK, "publish");
  free(p.bytes);
}

static double store_counter(const rig *g, int i) {
  double c[23];
  CHECK(lp_store_counters(g->engine, c, 23) == 23, "store counters");
  return c[i];
}

static void follow(const rig *g) {
  lp_step_follow(g->engine);
  while (lp_step_fill(g->engine) > 0) {
  }
}

/* Until a round changes nothing; plans look again after a second. */
static void settle(const rig *g) {
  double before = -1;
  for (int round = 0; round < 6 && store_counter(g, 3) != before; round++) {
    before = store_counter(g, 3);
    for (int pass = 0; pass < 4; pass++) follow(g);
    CHECK(lp_clock_set(g->engine, lp_now_ms(g->engine) + 1100) == LP_OK, "clock");
    for (int pass = 0; pass < 4; pass++) follow(g);
  }
}

static lp_source *source_of(const rig *g, uint32_t handle) {
  return lp_engine_source(lp_handle_get(g->engine, LP_KIND_ENGINE), handle);
}

/* Of pages [from, to), those that are there whole. */
static uint32_t there(const rig *g, uint32_t handle, int64_t from, int64_t to) {
  const lp_source *s = source_of(g, handle);
  uint32_t n = 0;
  for (int64_t page = from; page < to; page++) n += is_resident(s, page);
  return n;
}

/* ---- read-ahead where the budget is short --------------------------------------------------------------------------------- */

/* What comes late has three times as much of it; nobody has less than two pages. */
static void test_shares(void) {
  for (int tiny = 0; tiny < 2; tiny++) {
    rig g = open_rig(tiny ? 5 : 100, RATE); /* 90 units for wants, and 4 */
    const int64_t frames = 60 * RATE;
    part parts[2];
    for (int i = 0; i < 2; i++) parts[i] = (part){ .source = open_silence(&g, i ? "late" : "quick", 1, frames), .length = frames, .gain = 1 };
    publish(&g, parts, 2);
    lp_transport_play(g.renderer, 0, NAN);
    for (int i = 0; i < 4; i++) follow(&g);
    uint32_t quick = there(&g, parts[0].source, 0, 300), late = there(&g, parts[1].source, 0, 300);
    CHECK(tiny ? quick == 2 && late == 2 : quick >= 44 && quick <= 46 && late >= 44, "%u and %u pages", quick, late);
    double supply[3];
    CHECK(lp_source_supply(g.engine, parts[1].source, supply, 3) == 3 && supply[0] == 10000, "%g ms", supply[0]);
    source_of(&g, parts[1].source)->readahead.level = LP_READAHEAD_LEVELS - 1;
    lp_store_drop(g.engine);
    for (int i = 0; i < 4; i++) follow(&g);
    quick = there(&g, parts[0].source, 0, 300);
    late = there(&g, parts[1].source, 0, 300);
    if (tiny) CHECK(quick == 2 && late == 2, "%u and %u pages", quick, late);
    /* 31 pages are 5.3 s; the base of 10 s is 59 pages. */
    else CHECK(quick >= 30 && quick <= 34 && late == 59 && store_counter(&g, 13) >= 5000, "%u and %u pages, horizon %g ms", quick, late, store_counter(&g, 13));
    CHECK(lp_source_supply(g.engine, parts[1].source, supply, 3) == 3 && supply[0] == 30000, "%g ms", supply[0]);
    CHECK(store_counter(&g, 21) == 30000 && store_counter(&g, 14) == 0, "%g ms, %g refused", store_counter(&g, 21), store_counter(&g, 14));
    close_rig(&g);
  }
}

/* What a window holds costs nothing that plays, and what plays beside it has the rest. */
static void test_windows(void) {
  rig g = open_rig(100, RATE); /* 80 for the window, 18 of the others for wants */
  const int64_t frames = 100 * PAGE;
  part parts[12];
  for (int i = 0; i < 12; i++) {
    char name[16];
    snprintf(name, sizeof name, "held%d", i);
    parts[i] = (part){ .source = open_silence(&g, name, 1, frames), .length = frames, .gain = 1 };
  }
  /* Eight tracks play what ten pages of each are held of, four others not. */
  for (int i = 0; i < 8; i++) {
    int32_t w = lp_window_request(g.engine, parts[i].source, 0, 10 * PAGE, 0, 1);
    CHECK(w > 0, "window: %d", w);
    double state[2];
    while (lp_window_state((uint32_t)w, state, 2) == 0)
      while (lp_step_fill(g.engine) > 0) {
      }
  }
  publish(&g, parts, 12);
  lp_transport_play(g.renderer, 0, NAN);
  for (int i = 0; i < 4; i++) follow(&g);
  CHECK(store_counter(&g, 14) == 0, "%g voices refused", store_counter(&g, 14));
  for (int i = 8; i < 12; i++) CHECK(there(&g, parts[i].source, 0, 2) == 2, "voice %d", i);
  static float out[480 * 2];
  for (int i = 0; i < 100; i++) {
    CHECK(lp_render(g.renderer, out, 480) == LP_OK, "render");
    follow(&g);
  }
  double c[4];
  CHECK(lp_counters(g.renderer, c, 4) == 4 && c[2] == 0 && c[3] == 0, "%g missing, %g faded", c[2], c[3]);
  close_rig(&g);
}

/* Nine voices of ten fit, and loop: what lies behind the wrap is one of their two pages, so that they play without end. */
static void test_loops(void) {
  static float out[480 * 2];
  const int64_t lengths[] = { 7 * PAGE + 3000, 2 * PAGE, PAGE + 100, 700 };
  for (int way = 0; way < 4; way++) {
    rig g = open_rig(20, RATE);
    part parts[10];
    for (int i = 0; i < 10; i++) {
      char name[16];
      snprintf(name, sizeof name, "held%d", i);
      parts[i] = (part){ .source = open_silence(&g, name, 1, 100 * PAGE), .length = 100 * PAGE, .gain = 1 };
    }
    publish(&g, parts, 10);
    const int64_t start = 3 * PAGE + 1000;
    lp_transport_loop(g.renderer, 1, (double)start, (double)(start + lengths[way]));
    lp_transport_play(g.renderer, (double)start, NAN);
    for (int i = 0; i < 4; i++) follow(&g);
    for (int64_t at = 0; at < 5 * lengths[way] + 20 * PAGE; at += 480) {
      CHECK(lp_render(g.renderer, out, 480) == LP_OK, "render");
      follow(&g);
    }
    for (uint32_t t = 0; t < 9; t++) {
      double c[2];
      CHECK(lp_track_counters(g.renderer, t, c, 2) == 2 && c[0] == 0 && c[1] == 0, "way %d, track %u: %g missing, %g faded", way, t, c[0], c[1]);
    }
    close_rig(&g);
  }
}

/* A clip that begins just before a page ends has both pages when it begins: one track reads no further ahead before another one goes on. */
static void test_begins(void) {
  rig g = open_rig(6, RATE); /* five for wants: two voices, and one page */
  const int64_t frames = 60 * RATE;
  const uint32_t quick = open_silence(&g, "quick", 1, frames), late = open_silence(&g, "late", 1, frames), next = open_silence(&g, "held0", 1, 100 * PAGE);
  const part parts[] = {
    { .source = quick, .length = 30 * RATE, .gain = 1, .first = 4500 },
    { .source = late, .length = PAGE + 3000, .gain = 1, .then = next, .then_first = PAGE - 100, .then_length = 4 * PAGE },
  };
  publish(&g, parts, 2);
  lp_transport_play(g.renderer, 0, NAN);
  for (int i = 0; i < 4; i++) follow(&g);
  static float out[480 * 2];
  for (int64_t at = 0; at < 3 * PAGE; at += 480) {
    CHECK(lp_render(g.renderer, out, 480) == LP_OK, "render");
    follow(&g);
  }
  double c[4];
  CHECK(lp_counters(g.renderer, c, 4) == 4 && c[2] == 0 && c[3] == 0, "%g missing, %g faded", c[2], c[3]);
  close_rig(&g);
}

/* What opened the gate stays until it is heard: it was there by luck, and others want room before the follower looks. */
static void test_luck(void) {
  rig g = open_rig(20, RATE);
  const int64_t pages = 16;
  const uint32_t source = open_silence(&g, "held0", 1, 100 * PAGE), other = open_silence(&g, "held1", 1, 100 * PAGE);
  const part parts[] = { { .source = source, .length = pages * PAGE, .gain = 1 } };
  publish(&g, parts, 1);
  lp_transport_play(g.renderer, 0, NAN);
  for (int i = 0; i < 4; i++) follow(&g);
  static float out[480 * 2];
  CHECK(lp_render(g.renderer, out, 480) == LP_OK, "render");
  CHECK(lp_transport_seek(g.renderer, (double)((pages - 2) * PAGE)) == LP_OK, "seek");
  for (int i = 0; i < 8; i++) {
    follow(&g);
    CHECK(lp_render(g.renderer, out, 480) == LP_OK, "render");
  }
  CHECK(there(&g, source, 0, pages) == pages, "%u pages", there(&g, source, 0, pages));
  double before[21], c[21];
  CHECK(lp_counters(g.renderer, before, 21) == 21, "counters");
  CHECK(lp_transport_seek(g.renderer, 0) == LP_OK, "seek");
  CHECK(lp_source_prefetch(g.engine, other, 0, 40 * PAGE) == LP_OK, "prefetch");
  while (lp_step_fill(g.engine) > 0) {
  }
  CHECK(there(&g, other, 0, 40) >= 10, "%u pages of the other", there(&g, other, 0, 40));
  CHECK(lp_render(g.renderer, out, 480) == LP_OK, "render");
  CHECK(lp_counters(g.renderer, c, 21) == 21 && c[18] == before[18] + 1, "it waits at the gate");
  CHECK(c[2] == before[2] && c[3] == before[3], "%g missing, %g faded", c[2] - before[2], c[3] - before[3]);
  close_rig(&g);
}

/* A read of the volume hangs: what is left counts for less, and the proxy is had at once. */
static void test_stalled(void) {
  rig g = open_rig(400, RATE);
  const int64_t frames = 60 * RATE;
  const part parts[] = { { .source = open_silence(&g, "full", 2, frames), .length = frames, .gain = 1 } };
  const uint32_t proxy = open_silence(&g, "proxy", 1, frames);
  CHECK(lp_source_set_proxy(g.engine, parts[0].source, proxy) == LP_OK, "a proxy");
  publish(&g, parts, 1);
  lp_transport_play(g.renderer, 0, NAN);
  for (int i = 0; i < 4; i++) follow(&g);
  lp_gate_set(g.engine, 1);
  static float out[2400 * 2];
  double supply[3], ahead = 0;
  for (int i = 0; i < 400; i++) {
    CHECK(lp_render(g.renderer, out, 2400) == LP_OK, "render");
    follow(&g);
    double p[16];
    CHECK(lp_position(g.renderer, p, 16) == LP_OK, "position");
    ahead = lp_source_resident(g.engine, parts[0].source, p[0], (double)frames);
    if (ahead < 1.8 * RATE) break;
  }
  CHECK(lp_source_supply(g.engine, parts[0].source, supply, 3) == 3 && supply[2] == 0 && ahead > 1.7 * RATE, "slow with %g frames left", ahead);
  lp_store *st = ((lp_engine *)lp_handle_get(g.engine, LP_KIND_ENGINE))->store;
  lp_volume *volume = &st->volumes.of[source_of(&g, parts[0].source)->volume];
  volume->stalled++;
  follow(&g);
  CHECK(lp_source_supply(g.engine, parts[0].source, supply, 3) == 3 && supply[2] == 1, "not slow");
  lp_gate_release(g.engine, 1);
  follow(&g);
  CHECK(there(&g, proxy, 0, frames / PAGE) > 0, "the first read is the proxy's");
  volume->stalled--;
  lp_gate_set(g.engine, 0);
  for (int i = 0; i < 20; i++) {
    CHECK(lp_render(g.renderer, out, 2400) == LP_OK, "render");
    follow(&g);
  }
  CHECK(lp_source_supply(g.engine, parts[0].source, supply, 3) == 3 && supply[2] == 0, "still slow");
  double c[26];
  CHECK(lp_counters(g.renderer, c, 26) == 26 && c[2] == 0 && c[3] == 0 && c[25] == 0, "%g missing, %g faded, %g from the proxy", c[2], c[3], c[25]);
  close_rig(&g);
}

/* Waits for what threads do; a busy machine may take long, a broken one takes a minute. */
#define AWAIT(condition)                                                       \
  do {                                                                         \
    const uint64_t begun_ = real_now(NULL);                                    \
    while (!(condition) && real_now(NULL) - begun_ < 60 * S) sleep_ms(2);      \
    CHECK(condition, "it did not come");                                       \
  } while (0)

static double frames_at_head(const rig *g, uint32_t source, double most) {
  double p[16];
  CHECK(lp_position(g->renderer, p, 16) == LP_OK, "position");
  return lp_source_resident(g->engine, source, p[0], most);
}

static bool is_slow(const rig *g, uint32_t source) {
  double supply[3];
  CHECK(lp_source_supply(g->engine, source, supply, 3) == 3, "supply");
  return supply[2] != 0;
}

/* With all threads: reads of a volume hang for good. Its voice sounds from the proxy, which lies elsewhere, and from its own pages again when they come. */
static void test_hang(void) {
  int32_t e = lp_engine_create(RATE, 64 * MIB, 2, LP_ENGINE_MANUAL_CLOCK);
  CHECK(e > 0, "engine: %d", e);
  rig g = { (uint32_t)e, (uint32_t)lp_renderer_create((uint32_t)e, 0), RATE };
  const int64_t frames = 60 * RATE;
  atomic_store(&volumes_by_size, true);
  const part parts[] = { { .source = open_silence(&g, "odd", 3, frames), .length = frames, .gain = 1 } };
  const uint32_t proxy = open_silence(&g, "even", 2, frames);
  atomic_store(&volumes_by_size, false);
  CHECK(lp_source_set_proxy(g.engine, parts[0].source, proxy) == LP_OK, "a proxy");
  publish(&g, parts, 1);
  lp_transport_play(g.renderer, 0, NAN);
  AWAIT(frames_at_head(&g, parts[0].source, 9 * RATE) >= 9 * RATE);
  atomic_store(&reads_hang_if_odd, true);
  atomic_store(&reads_hang, true);
  static float out[2400 * 2];
  /* On until too little is left for a disk that hangs, but enough to play. */
  while (frames_at_head(&g, parts[0].source, 20 * RATE) > 1.5 * RATE) CHECK(lp_render(g.renderer, out, 2400) == LP_OK, "render");
  AWAIT(is_slow(&g, parts[0].source));
  for (int i = 0; i < 60; i++) {
    AWAIT(frames_at_head(&g, proxy, RATE) >= RATE);
    CHECK(lp_render(g.renderer, out, 2400) == LP_OK, "render");
  }
  double c[26];
  CHECK(lp_counters(g.renderer, c, 26) == 26 && c[2] == 0 && c[3] == 0 && c[25] > RATE, "%g missing, %g faded, %g from the proxy", c[2], c[3], c[25]);
  CHECK(is_slow(&g, parts[0].source), "it hangs still");
  atomic_store(&reads_hang, false);
  atomic_store(&reads_hang_if_odd, false);
  /* Own pages are asked for half a second ahead of the head; when they are there, time goes on. */
  double p[16];
  CHECK(lp_position(g.renderer, p, 16) == LP_OK, "position");
  AWAIT(lp_source_resident(g.engine, parts[0].source, p[0] + RATE, 5 * RATE) >= 5 * RATE);
  for (int i = 0; i < 4000 && is_slow(&g, parts[0].source); i++) {
    AWAIT(frames_at_head(&g, proxy, RATE / 2) >= RATE / 2 || frames_at_head(&g, parts[0].source, RATE / 2) >= RATE / 2);
    CHECK(lp_render(g.renderer, out, 480) == LP_OK, "render");
    sleep_ms(10);
  }
  AWAIT(!is_slow(&g, parts[0].source));
  AWAIT(frames_at_head(&g, parts[0].source, RATE) >= RATE);
  CHECK(lp_render(g.renderer, out, 2400) == LP_OK && lp_counters(g.renderer, c, 26) == 26, "render");
  const double proxied = c[25];
  CHECK(lp_render(g.renderer, out, 2400) == LP_OK && lp_counters(g.renderer, c, 26) == 26, "render");
  CHECK(c[2] == 0 && c[3] == 0 && c[25] == proxied, "%g missing, %g faded, %g more from the proxy", c[2], c[3], c[25] - proxied);
  close_rig(&g);
}

/* A plan of more than fits, and a long playback: each page is filled once. */
static void test_no_thrash(void) {
  enum { UNITS = 200, LENGTH = 2000, PLAN = 1000 };
  rig g = open_rig(UNITS, RATE);
  const uint32_t played = open_silence(&g, "steady", 1, LENGTH * PAGE), planned = open_silence(&g, "toomuch", 1, PLAN * PAGE);
  const part parts[] = { { .source = played, .length = LENGTH * PAGE, .gain = 1 } };
  publish(&g, parts, 1);
  lp_transport_play(g.renderer, 0, NAN);
  for (int i = 0; i < 4; i++) follow(&g);
  const double plan[] = { planned, 0, PLAN * PAGE, 1000 };
  CHECK(lp_anticipate_set(g.engine, plan, 1) > 0, "a plan");
  settle(&g);
  CHECK(store_counter(&g, 1) < UNITS / 20, "%g units are free", store_counter(&g, 1));
  static float out[PAGE];
  for (int i = 0; i < 2 * LENGTH; i++) {
    CHECK(lp_render(g.renderer, out, PAGE / 2) == LP_OK, "render");
    follow(&g);
  }
  const uint32_t kept = there(&g, planned, 0, PLAN);
  CHECK(kept >= UNITS - UNITS / 32 - 64 && there(&g, planned, 0, kept) == kept, "%u pages of the plan are there", kept);
  CHECK(store_counter(&g, 3) == LENGTH + kept, "%g fills of %u pages", store_counter(&g, 3), LENGTH + kept);
  CHECK(store_counter(&g, 5) == (LENGTH + kept) * 2.0 * PAGE, "%g bytes read", store_counter(&g, 5));
  double c[4];
  CHECK(lp_counters(g.renderer, c, 4) == 4 && c[2] == 0 && c[3] == 0, "%g missing, %g faded", c[2], c[3]);
  close_rig(&g);
}

/* ---- what degrades first --------------------------------------------------------------------------------------------------- */

/* What there is, from what goes first to what goes last (follow.c), in units. */
enum good { FAR, NEAR, BEHIND, BEYOND, MUTED_AHEAD, AHEAD, MUTED_VOICE, OWN, VOICES, GOODS };
static const char *const GOOD[GOODS] = { "far anticipation", "near anticipation", "behind", "beyond 10 s", "muted read-ahead", "read-ahead", "muted voice", "own pages", "voices" };

enum { HEARD = 3, CHANNELS = 4, AT = 30 /* the page at the head */, BASE_END = AT + 59, BEYOND_END = AT + 176, PLANNED = 100 };

static void look(uint32_t units, double have[GOODS], double *refused, double *stood_in) {
  rig g = open_rig(units, RATE);
  const int64_t frames = 60 * RATE;
  static const char *const names[HEARD] = { "heard0", "heard1", "heard2" };
  part parts[HEARD + 1];
  uint32_t proxies[HEARD];
  for (int i = 0; i < HEARD; i++) {
    parts[i] = (part){ .source = open_silence(&g, names[i], CHANNELS, frames), .length = frames, .gain = 1 };
    proxies[i] = open_silence(&g, "standin", 1, frames);
    CHECK(lp_source_set_proxy(g.engine, parts[i].source, proxies[i]) == LP_OK, "a proxy");
  }
  parts[HEARD] = (part){ .source = open_silence(&g, "muted", 1, frames), .length = frames };
  const uint32_t planned = open_silence(&g, "planned", 1, frames);
  source_of(&g, parts[0].source)->readahead.level = LP_READAHEAD_LEVELS - 1;
  publish(&g, parts, HEARD + 1);
  lp_transport_play(g.renderer, (double)AT * PAGE, NAN);
  const double plan[] = { planned, 0, PLANNED * PAGE, 0, planned, PLANNED * PAGE, 2 * PLANNED * PAGE, 5000 };
  CHECK(lp_anticipate_set(g.engine, plan, 2) > 0, "a plan");
  settle(&g);
  memset(have, 0, GOODS * sizeof *have);
  *stood_in = 0;
  have[FAR] = there(&g, planned, PLANNED, 2 * PLANNED);
  have[NEAR] = there(&g, planned, 0, PLANNED);
  have[BEYOND] = CHANNELS * there(&g, parts[0].source, BASE_END, BEYOND_END);
  have[MUTED_VOICE] = there(&g, parts[HEARD].source, AT, AT + 2);
  have[MUTED_AHEAD] = there(&g, parts[HEARD].source, AT + 2, BASE_END);
  for (int i = 0; i < HEARD; i++) {
    have[BEHIND] += CHANNELS * there(&g, parts[i].source, 0, AT);
    have[AHEAD] += CHANNELS * there(&g, parts[i].source, AT + 2, BASE_END);
    const uint32_t own = there(&g, parts[i].source, AT, AT + 2), by_proxy = there(&g, proxies[i], AT, AT + 2);
    have[OWN] += CHANNELS * own;
    have[VOICES] += own == 2 || by_proxy == 2;
    *stood_in += own < 2 && by_proxy == 2;
    CHECK(there(&g, proxies[i], 0, 2 * PLANNED) <= 2, "%u units: proxies are read ahead", units);
    CHECK(units * 9 / 10 < HEARD * CHANNELS * 2 || there(&g, proxies[i], 0, 2 * PLANNED) == 0, "%u units: proxies are there that nobody needs", units);
  }
  *refused = store_counter(&g, 14);
  close_rig(&g);
}

static void test_degrades(void) {
  double all[GOODS], refused, stood_in;
  look(2500, all, &refused, &stood_in);
  static const double want[GOODS] = { PLANNED, PLANNED, HEARD * CHANNELS * 2, CHANNELS * (BEYOND_END - BASE_END), BASE_END - AT - 2, HEARD * CHANNELS * (BASE_END - AT - 2), 2, HEARD * CHANNELS * 2, HEARD };
  for (int k = 0; k < GOODS; k++) CHECK(all[k] == want[k], "%s: %g of %g with all the memory", GOOD[k], all[k], want[k]);
  bool partly[GOODS] = { false }, gone[GOODS] = { false };
  double least[GOODS];
  memcpy(least, all, sizeof least);
  for (double size = 2500; size >= 4; size = size > 40 ? floor(size * (QUICK ? 0.8 : 0.95)) : size - 1) {
    const uint32_t units = (uint32_t)size;
    double have[GOODS];
    look(units, have, &refused, &stood_in);
    /* What is left of a good that has gone: less than one page of what came before it; of anticipation, what heads never take and what is no voice's two pages. */
    for (int k = 0; k < GOODS; k++) {
      const double crumbs = k <= NEAR ? units / 10 + 2 * CHANNELS : CHANNELS - 1;
      if (have[k] < all[k]) partly[k] = true;
      if (have[k] <= crumbs) gone[k] = true;
      for (int later = k + 1; later < GOODS; later++)
        CHECK(have[later] == all[later] || have[k] <= crumbs, "%u units: %s is cut to %g while there are %g of %s", units, GOOD[later], have[later], have[k], GOOD[k]);
    }
    CHECK(have[NEAR] == all[NEAR] || have[FAR] == 0, "%u units: the far of the plan before the near", units);
    CHECK(refused == HEARD - have[VOICES], "%u units: %g refused, %g play", units, refused, have[VOICES]);
    CHECK(refused == 0 || have[OWN] < 2 * CHANNELS, "%u units: one is refused while another could do with its proxy", units);
    CHECK(stood_in == 0 || (have[AHEAD] == 0 && have[MUTED_VOICE] == 0), "%u units: proxies while others read ahead", units);
  }
  for (int k = 0; k < GOODS; k++) CHECK(partly[k] && (gone[k] || k == VOICES), "%s never went", GOOD[k]);
}

/* ---- a long file ------------------------------------------------------------------------------------------------------------ */

/* 45 minutes of 44.1 kHz 16-bit stereo are there in 500 MB, and stay while another file of ten minutes is played through: what its head needs finds room
 * beside them. */
static void test_long_file(void) {
  if (QUICK) return; /* half a gigabyte is enough once */
  rig g = open_rig((uint32_t)(500e6 / LP_UNIT_BYTES), 44100);
  const int64_t frames = 45ll * 60 * 44100, pages = (frames + PAGE - 1) / PAGE, other_frames = 10ll * 60 * 44100;
  const uint32_t held = open_silence(&g, "hour", 2, frames), played = open_silence(&g, "ten", 2, other_frames);
  CHECK(lp_source_prefetch(g.engine, held, 0, (double)frames) == LP_OK, "asked for");
  while (lp_step_fill(g.engine) > 0) {
  }
  CHECK(there(&g, held, 0, pages) == pages, "%u of %lld pages", there(&g, held, 0, pages), (long long)pages);
  const part parts[] = { { .source = played, .length = other_frames, .gain = 1 } };
  publish(&g, parts, 1);
  lp_transport_play(g.renderer, 0, NAN);
  for (int i = 0; i < 4; i++) follow(&g);
  static float out[22050 * 2];
  for (int64_t at = 0; at < other_frames; at += 22050) {
    CHECK(lp_render(g.renderer, out, 22050) == LP_OK, "render");
    follow(&g);
  }
  double c[4];
  CHECK(lp_counters(g.renderer, c, 4) == 4 && c[2] == 0 && c[3] == 0, "%g missing, %g faded", c[2], c[3]);
  CHECK(there(&g, held, 0, pages) == pages, "%u of %lld pages after a scan", there(&g, held, 0, pages), (long long)pages);
  /* Each page of either was read once. */
  CHECK(store_counter(&g, 5) == (double)(frames + other_frames) * 4, "%g bytes read", store_counter(&g, 5));
  close_rig(&g);
}

/* The same without room beside: a linear playback takes no more than what its head needs, however long it is. What was used before it loses pages of 10 s,
 * of the 300 ms behind the head and of the fills under way; the rest stays. */
static void test_scan(void) {
  enum { HELD = 200, LENGTH = 3000 };
  rig g = open_rig(HELD, RATE);
  const uint32_t held = open_silence(&g, "held", 1, HELD * PAGE), played = open_silence(&g, "linear", 1, LENGTH * PAGE);
  const part first[] = { { .source = held, .length = HELD * PAGE, .gain = 1 } }, second[] = { { .source = played, .length = LENGTH * PAGE, .gain = 1 } };
  publish(&g, first, 1);
  lp_transport_play(g.renderer, 0, NAN);
  static float out[PAGE * 2];
  /* Used twice, it is no scan itself. */
  for (int i = 0; i < 2 * HELD; i++) {
    follow(&g);
    if (i == HELD) lp_transport_seek(g.renderer, 0);
    CHECK(lp_render(g.renderer, out, PAGE) == LP_OK, "render");
  }
  CHECK(there(&g, held, 0, HELD) >= HELD - 5, "%u pages", there(&g, held, 0, HELD));
  publish(&g, second, 1);
  lp_transport_play(g.renderer, 0, NAN);
  uint32_t least = HELD;
  for (int i = 0; i < LENGTH; i++) {
    follow(&g);
    CHECK(lp_render(g.renderer, out, PAGE) == LP_OK, "render");
    const uint32_t left = there(&g, held, 0, HELD);
    if (left < least) least = left;
  }
  CHECK(least >= HELD - 59 - 8, "%u pages are left", least);
  close_rig(&g);
}

/* --------------------------------------------------------------------------------------------------------------------------- */

static const test TESTS[] = {
  { "readahead", test_readahead },
  { "slow-disk", test_slow_disk },
  { "shares", test_shares },
  { "windows", test_windows },
  { "loops", test_loops },
  { "begins", test_begins },
  { "luck", test_luck },
  { "stalled", test_stalled },
  { "hang", test_hang },
  { "no-thrash", test_no_thrash },
  { "degrades", test_degrades },
  { "long-file", test_long_file },
  { "scan", test_scan },
};

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  return run_tests("supply_main", TESTS, sizeof TESTS / sizeof *TESTS, argc, argv);
}
