/* Tests of the rendering half in C, stepped by hand: render_main <test> … or all. Each ends the process with 1 at its first failure. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "engine_internal.h"
#include "packer.h"
#include "store_support.h"

enum { FADE = 720 };

/* ---- a rig: an engine stepped by hand, mixes as lists of clips ----------------------------------------------------------- */

typedef struct rig {
  uint32_t engine, renderer, next_id;
  double revision;
} rig;

typedef struct part {
  uint32_t slot, uid, source;
  int64_t at, length, first;
  float gain; /* of the track */
} part;

static rig open_rig(double slab_bytes) {
  int32_t e = lp_engine_create(RATE, slab_bytes, 1, LP_ENGINE_SINGLE_STEP | LP_ENGINE_MANUAL_CLOCK);
  CHECK(e > 0, "engine: %d", e);
  int32_t r = lp_renderer_create((uint32_t)e, 0);
  CHECK(r > 0, "renderer: %d", r);
  return (rig){ .engine = (uint32_t)e, .renderer = (uint32_t)r, .next_id = 1 };
}

static void close_rig(rig *g) { CHECK(lp_engine_close(g->engine) == 0, "threads left"); }

/* Publishes a mix of one clip a slot, all anew. */
static int32_t publish_to(rig *g, uint32_t renderer, const part *parts, uint32_t count) {
  packed p = { 0 };
  packed_u32(&p, 0x314B504Cu);
  packed_u32(&p, 32 + count * (40 + 64 + 24 + 24));
  packed_f64(&p, ++g->revision);
  packed_u32(&p, 0);
  packed_u32(&p, count);
  packed_u32(&p, count);
  packed_u32(&p, 0);
  for (uint32_t i = 0; i < count; i++) {
    const part *c = &parts[i];
    uint32_t block[4] = { g->next_id + i, 0, 0, 0 };
    for (int k = 0; k < 4; k++) packed_u32(&p, block[k]);
    packed_f64(&p, 0);
    packed_f64(&p, 0);
    packed_u32(&p, 1);
    packed_u32(&p, 0);
    packed_u32(&p, c->uid);
    packed_u32(&p, c->source);
    packed_f64(&p, 0);
    packed_f64(&p, (double)c->length);
    packed_f64(&p, (double)c->first);
    packed_f64(&p, 1);
    packed_f64(&p, 0);
    packed_f64(&p, 0);
    packed_f32(&p, 1);
    packed_u32(&p, 0);
  }
  for (uint32_t i = 0; i < count; i++) {
    packed_u32(&p, parts[i].slot);
    packed_u32(&p, 1);
    packed_f32(&p, parts[i].gain);
    packed_f32(&p, parts[i].gain);
    packed_u32(&p, 0);
    packed_u32(&p, 0);
    packed_u32(&p, 1);
    packed_u32(&p, g->next_id + i);
    packed_u32(&p, 0);
    packed_u32(&p, 0);
    packed_f64(&p, (double)parts[i].at);
  }
  g->next_id += count;
  int32_t result = lp_publish(renderer, p.bytes, (uint32_t)p.count);
  free(p.bytes);
  return result;
}

static void publish(rig *g, const part *parts, uint32_t count) {
  int32_t result = publish_to(g, g->renderer, parts, count);
  CHECK(result == LP_OK, "publish: %d", result);
}

/* The last mix again with other gains: contents as they were. */
static void publish_gains(rig *g, const part *parts, uint32_t count) {
  packed p = { 0 };
  packed_u32(&p, 0x314B504Cu);
  packed_u32(&p, 32 + count * 24);
  packed_f64(&p, ++g->revision);
  packed_u32(&p, 0);
  packed_u32(&p, 0);
  packed_u32(&p, count);
  packed_u32(&p, 0);
  for (uint32_t i = 0; i < count; i++) {
    packed_u32(&p, parts[i].slot);
    packed_u32(&p, 0);
    packed_f32(&p, parts[i].gain);
    packed_f32(&p, parts[i].gain);
    packed_u32(&p, 1);
    packed_u32(&p, 0);
  }
  int32_t result = lp_publish(g->renderer, p.bytes, (uint32_t)p.count);
  CHECK(result == LP_OK, "publish: %d", result);
  free(p.bytes);
}

static void settle(rig *g) {
  for (int pass = 0; pass < 4; pass++) {
    lp_step_follow(g->engine);
    while (lp_step_fill(g->engine) > 0) {
    }
  }
}

static uint32_t open_path(uint32_t engine, const char *path) {
  lp_source_info info;
  int32_t handle = lp_source_open(engine, (const uint8_t *)path, (uint32_t)strlen(path), (uint8_t *)&info, sizeof info);
  CHECK(handle > 0, "%s: %d", path, handle);
  return (uint32_t)handle;
}

/* A mono file of floats that are all the same. */
static uint32_t open_constant(rig *g, const char *name, float value, uint32_t frames) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s.wav", folder(), name);
  FILE *f = fopen(path, "wb");
  CHECK(f, "cannot write %s", path);
  uint32_t data = frames * 4;
  uint32_t words[] = { 0x46464952, 36 + data, 0x45564157, 0x20746D66, 16, 3 | 1u << 16, RATE, RATE * 4, 4 | 32u << 16, 0x61746164, data };
  fwrite(words, sizeof words, 1, f);
  for (uint32_t i = 0; i < frames; i++) fwrite(&value, sizeof value, 1, f);
  CHECK(fclose(f) == 0, "cannot write %s", path);
  return open_path(g->engine, path);
}

static void render(const rig *g, float *left, uint32_t frames) {
  float *out = malloc(frames * 2 * sizeof *out);
  CHECK(out && lp_render(g->renderer, out, frames) == LP_OK, "render");
  for (uint32_t i = 0; i < frames; i++) left[i] = out[i * 2];
  free(out);
}

static float largest_step(const float *x, uint32_t n) {
  float most = 0;
  for (uint32_t i = 1; i < n; i++) most = fmaxf(most, fabsf(x[i] - x[i - 1]));
  return most;
}

static double counter(const rig *g, int i) {
  double c[25];
  CHECK(lp_counters(g->renderer, c, 25) == 25, "counters");
  return c[i];
}

static double position_field(const rig *g, int i) {
  double p[16];
  CHECK(lp_position(g->renderer, p, 16) == LP_OK, "position");
  return p[i];
}

static uint32_t events_of(const rig *g, lp_event *out, uint32_t room, uint32_t kind) {
  static lp_event all[1024];
  int32_t n = lp_events(g->renderer, (uint8_t *)all, sizeof all);
  uint32_t found = 0;
  for (int32_t i = 0; i < n; i++)
    if (all[i].kind == kind && found < room) out[found++] = all[i];
  return found;
}

/* ---- contents: what is found quickly is what a search through all finds ---------------------------------------------------- */

static lp_source *no_source(void *context, uint32_t handle) {
  (void)context;
  (void)handle;
  return NULL;
}

static void check_content(const lp_content *c, uint64_t *random) {
  static lp_found all[MIX_BLOCKS * MIX_CLIPS];
  uint32_t count = 0;
  for (uint32_t p = 0; p < c->count; p++)
    for (uint32_t i = 0; i < c->places[p].block->count; i++) {
      const lp_clip *clip = &c->places[p].block->clips[i];
      int64_t start = c->places[p].start + clip->at;
      all[count++] = (lp_found){ clip, start, start + clip->length, p, i };
    }
  for (uint32_t k = 0; k < count; k++) {
    const lp_found *f = &all[k];
    lp_found got;
    bool spans = false;
    for (uint32_t j = k + 1; j < count; j++) spans = spans || (all[j].start < f->end && all[j].end > f->end);
    CHECK(lp_content_spans_end(c, f) == spans, "clip %u of %u: spanned %d", k, count, spans);
    int64_t under = (int64_t)k - 1;
    while (under >= 0 && all[under].end <= f->start) under--;
    CHECK(lp_content_under(c, f, &got) == (under >= 0), "clip %u: under it", k);
    CHECK(under < 0 || got.clip == all[under].clip, "clip %u: under it another", k);
  }
  for (int n = 0; n < 40; n++) {
    int64_t from = (int64_t)(next_random(random) % 90000), to = from + 1 + (int64_t)(next_random(random) % (n % 2 ? 40000 : 50));
    lp_found got, last[3];
    lp_walk w = lp_content_walk(c, from, to);
    uint32_t met = 0;
    const lp_found *kept[3] = { NULL };
    for (uint32_t k = 0; k < count; k++) {
      if (all[k].start >= to || all[k].end <= from) continue;
      CHECK(lp_walk_next(&w, &got) && got.clip == all[k].clip && got.start == all[k].start && got.end == all[k].end, "clip %u is not met", k);
      kept[met++ % 3] = &all[k];
    }
    CHECK(!lp_walk_next(&w, &got), "one too many is met");
    uint32_t found = lp_content_find(c, from, to, last, 3);
    CHECK(found == (met < 3 ? met : 3), "%u found of %u", found, met);
    for (uint32_t k = 0; k < found; k++) CHECK(last[k].clip == kept[(met - found + k) % 3]->clip, "the last %u of %u", found, met);
  }
}

static void test_content(void) {
  static mix_model m;
  uint64_t random = 5;
  packed p = { 0 };
  mix_init(&m, 3);
  m.source_frames = 1000;
  lp_snapshot *last = lp_snapshot_empty();
  lp_block_index index = { 0 };
  for (int round = 0; round < 300; round++) {
    if (round % 3) mix_full(&m, &p);
    else mix_any(&m, &p);
    lp_snapshot *s;
    lp_map_step *steps;
    uint32_t step_count;
    int result = lp_snapshot_unpack(p.bytes, (uint32_t)p.count, last, &index, no_source, NULL, &s, &steps, &step_count);
    CHECK(result == LP_OK, "round %d: %d", round, result);
    free(steps);
    lp_snapshot_unref(last);
    last = s;
    for (uint32_t t = 0; t < s->count; t++) check_content(s->tracks[t].content, &random);
  }
  lp_snapshot_unref(last);
  CHECK(index.count == 0, "%u blocks are left", index.count);
  lp_block_index_free(&index);
  free(p.bytes);
}

/* ---- fades ------------------------------------------------------------------------------------------------------------------ */

static float sound_of[48000];

/* A track that goes, or a pause, while its gain is on its way: the gain goes on in the old sound. */
static void test_ramp_ends(void) {
  for (int pauses = 0; pauses < 2; pauses++) {
    rig g = open_rig(4e6);
    uint32_t a = open_constant(&g, "ramp", 0.5f, 60000);
    part parts[] = { { .slot = 3, .uid = 1, .source = a, .length = 60000, .gain = 1 } };
    publish(&g, parts, 1);
    lp_transport_play(g.renderer, 0, NAN);
    settle(&g);
    render(&g, sound_of, 300);
    parts[0].gain = 0.1f;
    publish_gains(&g, parts, 1);
    for (uint32_t i = 0; i < 4; i++) render(&g, sound_of + 300 + i * 64, 64);
    if (pauses) lp_transport_pause(g.renderer);
    else publish(&g, NULL, 0);
    for (uint32_t i = 0; i < 20; i++) render(&g, sound_of + 556 + i * 64, 64);
    float step = largest_step(sound_of, 556 + 20 * 64);
    CHECK(step < 3 * 0.5f / FADE, "a step of %g", (double)step);
    CHECK(sound_of[556 + 19 * 64] == 0, "silence");
    close_rig(&g);
  }
}

/* A seek just before the frame to play to: the old sound sinks away, it is not cut there. */
static void test_old_end(void) {
  rig g = open_rig(4e6);
  uint32_t a = open_constant(&g, "old", 0.5f, 60000), b = open_constant(&g, "new", -0.5f, 60000);
  part parts[] = { { .slot = 0, .uid = 1, .source = a, .length = 20000, .gain = 1 }, { .slot = 1, .uid = 2, .source = b, .at = 30000, .length = 20000, .gain = 1 } };
  publish(&g, parts, 2);
  lp_transport_play(g.renderer, 0, 2000);
  settle(&g);
  render(&g, sound_of, 1800);
  lp_transport_seek(g.renderer, 31000);
  settle(&g);
  render(&g, sound_of + 1800, 2000);
  float step = largest_step(sound_of, 3800);
  CHECK(step < 1.01f / FADE, "a step of %g", (double)step);
  CHECK(sound_of[3799] == -0.5f && position_field(&g, 3) == LP_PLAYING, "it plays on");
  /* But the frame to play to cuts all that sounds, also within a fade. */
  lp_transport_play(g.renderer, 1000, 1500);
  settle(&g);
  render(&g, sound_of, 1000);
  for (int i = 500; i < 1000; i++) CHECK(sound_of[i] == 0, "frame %d is %g", i, (double)sound_of[i]);
  CHECK(position_field(&g, 3) == LP_PAUSED && position_field(&g, 0) == 1500, "state %g at %g", position_field(&g, 3), position_field(&g, 0));
  close_rig(&g);
}

/* The last period before a device closes ends in silence without a step, however short it is. */
static void test_device_close(void) {
  int32_t e = lp_engine_create(RATE, 4e6, 1, 0);
  CHECK(e > 0, "engine");
  rig g = { .engine = (uint32_t)e, .renderer = (uint32_t)lp_renderer_create((uint32_t)e, 0), .next_id = 1 };
  uint32_t a = open_constant(&g, "device", 0.5f, 400000);
  part parts[] = { { .slot = 0, .uid = 1, .source = a, .length = 400000, .gain = 1 } };
  publish(&g, parts, 1);
  /* What stands at the head is fetched before anyone plays; on a busy machine that takes a while. */
  for (int i = 0; i < 30000 && lp_source_resident(g.engine, a, 0, 48000) < 48000; i++) sleep_ms(10);
  CHECK(lp_source_resident(g.engine, a, 0, 48000) == 48000, "the head's pages");
  lp_transport_play(g.renderer, 0, NAN);
  lp_device_config config = { .backend = LP_BACKEND_NULL, .period_frames = 128 };
  CHECK(lp_device_open(g.renderer, (uint8_t *)&config, sizeof config) == LP_OK, "device");
  CHECK(lp_device_open(g.renderer, (uint8_t *)&config, sizeof config) == LP_E_STATE, "twice");
  float one[2];
  CHECK(lp_render(g.renderer, one, 1) == LP_E_STATE, "driven by two");
  static float tap[48000 * 2];
  /* Well into the sound, then some periods of it. */
  for (int i = 0; i < 30000 && position_field(&g, 0) < 4800; i++) sleep_ms(10);
  CHECK(lp_tap_start(g.renderer, tap, 48000) == LP_OK, "tap");
  double tapped = position_field(&g, 9);
  for (int i = 0; i < 30000 && position_field(&g, 9) < tapped + 1024; i++) sleep_ms(10);
  double status[LP_DEVICE_STATUS], written = 0;
  CHECK(lp_device_status(g.renderer, status, LP_DEVICE_STATUS) == LP_DEVICE_STATUS && status[0] == 1, "running");
  CHECK(lp_device_close(g.renderer) == LP_OK && lp_device_close(g.renderer) == LP_E_STATE, "close");
  CHECK(lp_tap_stop(g.renderer, &written) == LP_OK && written > 256, "%g frames", written);
  uint32_t n = 0;
  for (uint32_t i = 0; i < (uint32_t)written; i++) sound_of[n++] = tap[i * 2];
  CHECK(sound_of[0] == 0.5f && fabsf(sound_of[n - 1]) < 0.5f / 100, "from %g to %g", (double)sound_of[0], (double)sound_of[n - 1]);
  CHECK(largest_step(sound_of, n) <= 0.5f / 128 + 1e-6f, "a step of %g", (double)largest_step(sound_of, n));
  double at = position_field(&g, 0);
  CHECK(lp_render(g.renderer, one, 1) == LP_OK && position_field(&g, 0) == at + 1, "plays on by hand");
  close_rig(&g);
}

/* ---- gaps ------------------------------------------------------------------------------------------------------------------- */

/* Each gap ends with its frames, whatever ends it. */
static void test_gap_ends(void) {
  rig g = open_rig(4e6);
  lp_event e[8];
  part parts[] = { { .slot = 5, .uid = 9, .source = 0, .at = 1000, .length = 2000, .gain = 1 } };
  publish(&g, parts, 1);
  double missing = 0;
  for (int way = 0; way < 7; way++) {
    lp_transport_loop(g.renderer, way == 3, 0, 2000);
    lp_transport_play(g.renderer, 0, way == 4 ? 2500 : NAN);
    render(&g, sound_of, 1500 + FADE);
    switch (way) {
      case 0: render(&g, sound_of, 2000); break; /* the clip's end */
      case 1: lp_transport_seek(g.renderer, 100000); break;
      case 2: lp_transport_pause(g.renderer); break;
      case 3:
      case 4: render(&g, sound_of, 500); break; /* a wrap, the end */
      case 5: parts[0].gain = 0; publish_gains(&g, parts, 1); break;
      default: publish(&g, NULL, 0); break; /* the track goes */
    }
    render(&g, sound_of, FADE * 2);
    uint32_t n = events_of(&g, e, 8, LP_EV_GAP_END);
    CHECK(n == (way == 3 ? 2 : 1), "%u gaps ended in way %d", n, way);
    for (uint32_t i = 0; i < n; i++) {
      CHECK(e[i].track == 5 && e[i].clip == 9 && e[i].cause == LP_CAUSE_ABSENT && e[i].b >= 1, "gap %u in way %d", i, way);
      missing += e[i].b;
    }
    CHECK(missing == counter(&g, 2), "way %d: %g frames told, %g missing", way, missing, counter(&g, 2));
    parts[0].gain = 1;
    publish(&g, parts, 1);
    lp_transport_stop(g.renderer);
    render(&g, sound_of, FADE * 2);
    events_of(&g, e, 8, LP_EV_GAP_END);
  }
  close_rig(&g);
}

/* More events than the ring holds: it says how many. */
static void test_lost_events(void) {
  rig g = open_rig(4e6);
  lp_transport_loop(g.renderer, 1, 100, 101);
  lp_transport_play(g.renderer, 100, NAN);
  render(&g, sound_of, 3000);
  double lost = counter(&g, 23);
  CHECK(lost > 1000, "%g lost", lost);
  lp_event e[8];
  CHECK(events_of(&g, e, 8, LP_EV_LOST) == 0, "not yet");
  render(&g, sound_of, 1);
  CHECK(events_of(&g, e, 8, LP_EV_LOST) == 1 && e[0].value == lost, "%g told of %g", e[0].value, lost);
  close_rig(&g);
}

/* ---- follower and gate ------------------------------------------------------------------------------------------------------ */

static double store_counter(const rig *g, int i) {
  double c[16];
  CHECK(lp_store_counters(g->engine, c, 16) == 16, "store counters");
  return c[i];
}

static uint32_t open_noise(rig *g, sound *s, const char *name) {
  make_sound(s, name);
  return open_path(g->engine, s->path);
}

/* What can never come, and what is not heard, does not open the gate to the rest nor hold it shut. */
static void test_gate(void) {
  rig g = open_rig(4e6);
  sound there = { .kind = S16, .seed = 1, .channels = 2, .frames = 100000 }, slow = there, absent = there;
  part parts[] = { { .slot = 0, .uid = 1, .source = open_noise(&g, &there, "there"), .length = 90000, .gain = 1 },
                   { .slot = 1, .uid = 2, .source = open_noise(&g, &absent, "absent"), .length = 90000, .gain = 1 },
                   { .slot = 2, .uid = 3, .source = open_noise(&g, &slow, "slow"), .length = 90000, .gain = 1 } };
  publish(&g, parts, 1);
  lp_transport_play(g.renderer, 0, NAN);
  settle(&g);
  render(&g, sound_of, 64);
  atomic_store(&read_fault, -ENOENT);
  lp_source_prefetch(g.engine, parts[1].source, 0, 90000);
  while (lp_step_fill(g.engine) > 0) {
  }
  atomic_store(&read_fault, 0);
  lp_gate_set(g.engine, 1);
  publish(&g, parts, 3);
  CHECK(position_field(&g, 15) == 1, "an absent file lets the slow one through unheard");
  parts[2].gain = 0;
  publish(&g, parts, 3);
  CHECK(position_field(&g, 15) == 0, "a muted track or an absent file holds the gate");
  render(&g, sound_of, 64);
  CHECK(position_field(&g, 4) == g.revision, "it is heard");
  close_rig(&g);
}

/* The budget is short: what plays comes before what renders offline, and that still comes to its end. */
static void test_shares(void) {
  rig g = open_rig(64 * 16384.0); /* 57 units for wants */
  sound s = { .kind = S24, .seed = 1, .channels = 2, .frames = 480000 };
  part live[6], offline[20];
  uint32_t source = open_noise(&g, &s, "shares");
  for (uint32_t i = 0; i < 20; i++) offline[i] = (part){ .slot = i, .uid = 1 + i, .source = source, .length = 60000, .first = 20000 * (i + 2), .gain = 1 };
  for (uint32_t i = 0; i < 6; i++) live[i] = (part){ .slot = i, .uid = 1 + i, .source = source, .length = 60000, .first = 10000 + 20000 * (i + 2), .gain = 1 };
  publish(&g, live, 6);
  lp_transport_play(g.renderer, 0, NAN);
  int32_t other = lp_renderer_create(g.engine, LP_RENDERER_OFFLINE);
  CHECK(other > 0, "renderer");
  publish_to(&g, (uint32_t)other, offline, 20);
  lp_transport_play((uint32_t)other, 0, NAN);
  settle(&g);
  CHECK(store_counter(&g, 14) == 20 - 8, "%g voices refused", store_counter(&g, 14)); /* 57 − 24 units: eight more voices */
  for (int i = 0; i < 100; i++) {
    render(&g, sound_of, 256);
    settle(&g);
  }
  CHECK(counter(&g, 2) == 0 && counter(&g, 3) == 0, "%g missing, %g faded", counter(&g, 2), counter(&g, 3));
  CHECK(store_counter(&g, 13) >= 85, "the horizon held is %g ms", store_counter(&g, 13));
  /* Waiting at the gate with the same voices refuses none twice. */
  CHECK(lp_renderer_close((uint32_t)other) == LP_OK, "close");
  settle(&g);
  publish(&g, live, 6);
  lp_step_follow(g.engine);
  CHECK(store_counter(&g, 14) == 0, "%g voices refused", store_counter(&g, 14));
  close_rig(&g);
}

static uint64_t thread_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* The shortest loop of all is walked once round, not for ten seconds. */
static void test_tiny_loop(void) {
  rig g = open_rig(4e6);
  static part parts[200];
  uint32_t a = open_constant(&g, "loop", 0.5f, 60000);
  for (uint32_t i = 0; i < 200; i++) parts[i] = (part){ .slot = i, .uid = 1 + i, .source = a, .length = 60000, .gain = 1 };
  publish(&g, parts, 200);
  lp_transport_loop(g.renderer, 1, 1000, 1001);
  lp_transport_play(g.renderer, 1000, NAN);
  settle(&g);
  /* By the processor's time, and the least of several: what the machine does besides does not count. Ten seconds of it would be 96 million looks. */
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < 20 && least >= 500000000ull; i++) {
    uint64_t begun = thread_ns();
    lp_step_follow(g.engine);
    uint64_t took = thread_ns() - begun;
    if (took < least) least = took;
  }
  CHECK(least < 500000000ull, "%llu ms", (unsigned long long)(least / 1000000));
  close_rig(&g);
}

typedef struct others {
  uint32_t engine;
  const char *path;
  _Atomic bool stop;
} others;

/* Reads of others, one after another, that all fail. */
static void *others_main(void *context) {
  others *o = context;
  while (!atomic_load(&o->stop)) {
    uint32_t source = open_path(o->engine, o->path);
    lp_source_prefetch(o->engine, source, 0, 1000);
    sleep_ms(5);
    lp_source_close(o->engine, source);
  }
  return NULL;
}

/* Reads that fail again and again, its own and others', do not keep an offline render waiting beyond its time. */
static void test_wait_ends(void) {
  int32_t e = lp_engine_create(RATE, 4e6, 2, 0);
  CHECK(e > 0, "engine");
  rig g = { .engine = (uint32_t)e, .renderer = (uint32_t)lp_renderer_create((uint32_t)e, 0), .next_id = 1 };
  sound s = { .kind = S16, .seed = 1, .channels = 2, .frames = 200000 };
  part parts[] = { { .slot = 0, .uid = 1, .source = open_noise(&g, &s, "bad"), .length = 200000, .gain = 1 } };
  atomic_store(&read_fault, -EIO);
  others o = { .engine = g.engine, .path = s.path };
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, others_main, &o) == 0, "a thread");
  int32_t other = lp_renderer_create(g.engine, LP_RENDERER_OFFLINE);
  CHECK(other > 0 && publish_to(&g, (uint32_t)other, parts, 1) == LP_OK, "offline");
  lp_transport_play((uint32_t)other, 0, NAN);
  static float out[2048 * 2];
  uint64_t begun = real_now(NULL);
  int32_t result = lp_render_wait((uint32_t)other, out, 2048, 300);
  uint64_t took = (real_now(NULL) - begun) / 1000000;
  /* It ends; a busy machine may take longer to say so. */
  CHECK(result == LP_E_TIMEOUT && took >= 300, "%d after %llu ms", result, (unsigned long long)took);
  atomic_store(&o.stop, true);
  pthread_join(thread, NULL);
  atomic_store(&read_fault, 0);
  close_rig(&g);
}

static void *wait_main(void *context) {
  uint32_t renderer = *(uint32_t *)context;
  static float out[2048 * 2];
  int32_t result = lp_render_wait(renderer, out, 2048, 60000);
  CHECK(result == LP_E_CLOSING, "%d", result);
  return NULL;
}

/* Closing a renderer ends the wait of the thread that renders with it. */
static void test_close_ends_wait(void) {
  int32_t e = lp_engine_create(RATE, 4e6, 2, 0);
  CHECK(e > 0, "engine");
  rig g = { .engine = (uint32_t)e, .renderer = (uint32_t)lp_renderer_create((uint32_t)e, LP_RENDERER_OFFLINE), .next_id = 1 };
  sound s = { .kind = S16, .seed = 1, .channels = 2, .frames = 200000 };
  part parts[] = { { .slot = 0, .uid = 1, .source = open_noise(&g, &s, "closing"), .length = 200000, .gain = 1 } };
  lp_gate_set(g.engine, 1);
  publish(&g, parts, 1);
  lp_transport_play(g.renderer, 0, NAN);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, wait_main, &g.renderer) == 0, "a thread");
  sleep_ms(50);
  float one[2];
  CHECK(lp_render(g.renderer, one, 1) == LP_E_STATE && lp_render_wait(g.renderer, one, 1, 0) == LP_E_STATE, "two at once");
  CHECK(lp_renderer_close(g.renderer) == LP_OK, "close");
  pthread_join(thread, NULL);
  close_rig(&g);
}

/* ---- engine ----------------------------------------------------------------------------------------------------------------- */

/* Handles of sources are given in turn, and given again after the last: a long session does not run out of them. */
static void test_source_handles(void) {
  rig g = open_rig(4e6);
  lp_engine *e = lp_handle_get(g.engine, LP_KIND_ENGINE);
  uint32_t a = open_constant(&g, "first", 0.5f, 100), b = open_constant(&g, "second", 0.25f, 100);
  CHECK(a == 1 && b == 2, "%u %u", a, b);
  CHECK(lp_source_close(g.engine, a) == LP_OK && lp_source_close(g.engine, a) == LP_E_HANDLE, "close");
  uint32_t c = open_constant(&g, "first", 0.5f, 100);
  CHECK(c == 3, "%u: not the one that was closed just now", c);
  e->next_source = LP_MAX_SOURCES - 1;
  CHECK(open_constant(&g, "first", 0.5f, 100) == LP_MAX_SOURCES - 1, "the last");
  lp_source_info info;
  for (int i = 0; i < 10; i++) /* a failure keeps none */
    CHECK(lp_source_open(g.engine, (const uint8_t *)"/nowhere", 8, (uint8_t *)&info, sizeof info) == LP_E_ABSENT, "absent");
  e->next_source = 1;
  CHECK(open_constant(&g, "first", 0.5f, 100) == 1 && open_constant(&g, "first", 0.5f, 100) == 4, "free ones only");
  close_rig(&g);
}

/* Numbers from outside that are none, or too large. */
static void test_numbers(void) {
  rig g = open_rig(4e6);
  const double bad[] = { NAN, INFINITY, -INFINITY, 1e300, -1e300 };
  uint32_t a = open_constant(&g, "numbers", 0.5f, 100);
  float buffer[2];
  for (int i = 0; i < 5; i++) {
    CHECK(lp_clock_set(g.engine, bad[i]) == LP_E_ARGUMENT, "clock %g", bad[i]);
    CHECK(lp_source_resident(g.engine, a, bad[i], 10) == LP_E_ARGUMENT && lp_source_resident(g.engine, a, 0, bad[i]) == LP_E_ARGUMENT, "resident %g", bad[i]);
    CHECK(lp_source_prefetch(g.engine, a, bad[i], bad[i]) == LP_E_ARGUMENT, "prefetch %g", bad[i]);
    CHECK(lp_tap_start(g.renderer, buffer, bad[i]) == LP_E_ARGUMENT, "tap %g", bad[i]);
    CHECK(lp_transport_seek(g.renderer, bad[i]) == LP_E_ARGUMENT && lp_transport_loop(g.renderer, 1, bad[i], bad[i]) == LP_E_ARGUMENT, "transport %g", bad[i]);
    CHECK(isnan(bad[i]) || lp_transport_play(g.renderer, bad[i], NAN) == LP_E_ARGUMENT, "play %g", bad[i]);
    CHECK(lp_engine_create(RATE, bad[i], 1, 0) == LP_E_ARGUMENT, "slab %g", bad[i]);
    uint8_t hash[8];
    CHECK(lp_source_page_hash(g.engine, a, bad[i], hash, 8) == LP_E_ARGUMENT, "page %g", bad[i]);
  }
  close_rig(&g);
}

/* --------------------------------------------------------------------------------------------------------------------------- */

static const test TESTS[] = {
  { "content", test_content },     { "ramp-ends", test_ramp_ends }, { "old-end", test_old_end },         { "device-close", test_device_close },
  { "gap-ends", test_gap_ends },   { "lost-events", test_lost_events },
  { "gate", test_gate },           { "shares", test_shares },           { "tiny-loop", test_tiny_loop },
  { "wait-ends", test_wait_ends }, { "close-ends-wait", test_close_ends_wait },
  { "source-handles", test_source_handles }, { "numbers", test_numbers },
};

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  return run_tests("render_main", TESTS, sizeof TESTS / sizeof *TESTS, argc, argv);
}
