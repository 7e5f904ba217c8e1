/* Tests of the mixer's quick way: steady_main <seed> <rounds>.
 *
 * First its kernels: each gives the bits of the arithmetic that mix.c writes down, whatever its width. Then the way itself: of two renderers with the same edits,
 * seeks, loops and holes, over the same pages, one forgets before each block what it knows of its tracks, so that it goes the long way. What they put
 * out, count and show on their meters is the same. */
#include <math.h>
#include <string.h>

#include "engine_internal.h"
#include "packer.h"
#include "steady.h"
#include "store_support.h"

static uint32_t whole(uint64_t *random, uint32_t n) { return (uint32_t)((uint64_t)next_random(random) * n >> 32); }

static float unit(uint64_t *random) { return (float)next_random(random) / 4294967296.0f; }

/* ---- kernels --------------------------------------------------------------------------------------------------------- */

enum { MOST = 301 };

typedef struct mixed {
  float out[2][MOST];
  lp_meter meter;
} mixed;

static mixed run_kernel(const lp_mix_kernel *k, const int16_t *const shorts[2], const float *const floats[2], int32_t n, float gain, const float fader[2],
                        const mixed *before) {
  mixed m = *before;
  float *const out[2] = { m.out[0], m.out[1] };
  if (shorts) k->s16(shorts, n, gain, fader, out, &m.meter);
  else k->f32(floats, n, gain, fader, out, &m.meter);
  return m;
}

static void check_mixed(const char *name, const mixed *m, const mixed *before, const float *const samples[2], int32_t n, float gain, const float fader[2]) {
  for (int side = 0; side < 2; side++) {
    float peak = before->meter.peak[side];
    double square = before->meter.square[side];
    for (int32_t i = 0; i < MOST; i++) {
      volatile float t = samples[side][i] * gain;
      t = t * fader[side];
      volatile float sum = before->out[side][i] + t;
      if (i >= n) sum = before->out[side][i]; /* nothing beyond is touched */
      CHECK(m->out[side][i] == sum, "%s, frame %d of %d: %g instead of %g", name, i, n, (double)m->out[side][i], (double)sum);
      if (i >= n) continue;
      peak = fmaxf(peak, fabsf(t));
      square += (double)t * (double)t;
    }
    CHECK(m->meter.peak[side] == peak, "%s: peak %g instead of %g", name, (double)m->meter.peak[side], (double)peak);
    CHECK(fabs(m->meter.square[side] - square) <= 1e-5 * square, "%s: energy %g instead of %g", name, m->meter.square[side], square);
  }
}

static void test_kernels(uint64_t *random) {
  for (int round = 0; round < 2000; round++) {
    static int16_t shorts[2][MOST];
    static float floats[2][MOST], of_shorts[2][MOST];
    mixed before = { .meter = { .peak = { unit(random) / 100, 0 }, .square = { unit(random), 0 } } };
    for (int side = 0; side < 2; side++)
      for (int i = 0; i < MOST; i++) {
        shorts[side][i] = (int16_t)next_random(random);
        of_shorts[side][i] = (float)shorts[side][i] / 32768.0f;
        floats[side][i] = 4 * unit(random) - 2;
        before.out[side][i] = 2 * unit(random) - 1;
      }
    const int32_t n = (int32_t)whole(random, MOST);
    const float gain = whole(random, 8) ? powf(10, 12 * unit(random) - 9) * (whole(random, 2) ? 1 : -1) : 0;
    const float fader[2] = { 2 * unit(random), whole(random, 4) ? unit(random) : 0 };
    const int16_t *const s[2] = { shorts[0], shorts[whole(random, 4) ? 1 : 0] };
    const float *const f[2] = { floats[0], floats[1] }, *const as[2] = { of_shorts[0], of_shorts[s[1] == shorts[1]] };
    const mixed s_plain = run_kernel(&lp_mix_plain, s, NULL, n, gain, fader, &before), f_plain = run_kernel(&lp_mix_plain, NULL, f, n, gain, fader, &before);
    for (uint32_t i = 0; lp_mix_kernel_at(i); i++) {
      const lp_mix_kernel *k = lp_mix_kernel_at(i);
      const mixed a = run_kernel(k, s, NULL, n, gain, fader, &before), b = run_kernel(k, NULL, f, n, gain, fader, &before);
      check_mixed(k->name, &a, &before, as, n, gain, fader);
      check_mixed(k->name, &b, &before, f, n, gain, fader);
      CHECK(!memcmp(&a, &s_plain, sizeof a) && !memcmp(&b, &f_plain, sizeof b), "%s gives other bits than the plain kernel", k->name);
      float peak = 0;
      double square = 0;
      k->measure(floats[0], n, &peak, &square);
      float plain_peak = 0;
      double plain_square = 0;
      lp_mix_plain.measure(floats[0], n, &plain_peak, &plain_square);
      CHECK(peak == plain_peak && square == plain_square, "%s measures otherwise than the plain kernel", k->name);
    }
  }
}

/* ---- the way -------------------------------------------------------------------------------------------------------- */

enum { FILES = 6, FRAMES = 50000, BLOCKS = 60 };

static sound files[FILES];

static uint32_t open_path(uint32_t engine, const char *path) {
  lp_source_info info;
  int32_t handle = lp_source_open(engine, (const uint8_t *)path, (uint32_t)strlen(path), (uint8_t *)&info, sizeof info);
  CHECK(handle > 0, "%s: %d", path, handle);
  return (uint32_t)handle;
}

typedef struct pair {
  uint32_t engine;
  lp_renderer *quick, *slow;
} pair;

static void publish(const pair *p, const packed *edit) {
  const int32_t a = lp_publish(p->quick->handle, edit->bytes, (uint32_t)edit->count), b = lp_publish(p->slow->handle, edit->bytes, (uint32_t)edit->count);
  CHECK(a == LP_OK && b == LP_OK, "publish: %d, %d", a, b);
}

/* Tracks of what sounds whose next n frames the quick renderer would take the quick way. */
static uint64_t quick_tracks(lp_renderer *r, int32_t n) {
  const lp_snapshot *s = r->current->snapshot;
  uint64_t quick = 0;
  if (r->head.state != LP_PLAYING || lp_head_span(&r->head, n) < n) return 0;
  for (uint32_t i = 0; i < s->count; i++) {
    lp_steady_block block;
    lp_steady_look(r, &s->tracks[i], r->head.position, n, lp_head_span(&r->head, INT32_MAX), &block);
    quick += block.plane[0] != NULL;
  }
  return quick;
}

static void check_equal(const pair *p, uint32_t frames) {
  static float quick[LP_BLOCK * 2], slow[LP_BLOCK * 2];
  for (uint32_t i = 0; i < LP_MAX_TRACKS; i++) lp_steady_forget(p->slow, i);
  CHECK(lp_render(p->quick->handle, quick, frames) == LP_OK && lp_render(p->slow->handle, slow, frames) == LP_OK, "render");
  for (uint32_t i = 0; i < frames * 2; i++)
    CHECK(quick[i] == slow[i], "frame %u, side %u: %g the quick way, %g the long one", i / 2, i % 2, (double)quick[i], (double)slow[i]);
}

static void check_reports(const pair *p, double count_before[2]) {
  double a[32] = { 0 }, b[32] = { 0 };
  (void)lp_counters(p->quick->handle, a, 32);
  (void)lp_counters(p->slow->handle, b, 32);
  CHECK(a[2] == b[2] && a[3] == b[3], "missing %g and %g, faded %g and %g", a[2], b[2], a[3], b[3]);
  count_before[0] = a[2];
  count_before[1] = a[3];
  static uint8_t one[32 + 16 * (1 + LP_MAX_TRACKS)], other[32 + 16 * (1 + LP_MAX_TRACKS)];
  const int32_t m = lp_meters(p->quick->handle, one, sizeof one), n = lp_meters(p->slow->handle, other, sizeof other);
  CHECK(m == n, "meters: %d, %d", m, n);
  if (m < 0) return;
  /* Times of the clock stand in front. */
  CHECK(!memcmp(one + 32, other + 32, sizeof one - 32), "the meters differ");
}

static uint64_t play_round(uint64_t seed, uint32_t odd, double missing[2]) {
  int32_t e = lp_engine_create(RATE, 3e6, 1, LP_ENGINE_SINGLE_STEP | LP_ENGINE_MANUAL_CLOCK);
  CHECK(e > 0, "engine: %d", e);
  pair p = { .engine = (uint32_t)e };
  p.quick = lp_handle_get((uint32_t)lp_renderer_create(p.engine, 0), LP_KIND_RENDERER);
  p.slow = lp_handle_get((uint32_t)lp_renderer_create(p.engine, 0), LP_KIND_RENDERER);
  CHECK(p.quick && p.slow, "renderers");
  uint64_t random = seed * 2654435761u + 1, quick = 0;
  mix_model model;
  mix_init(&model, seed);
  for (int i = 0; i < FILES; i++) model.sources[i] = open_path(p.engine, files[i].path);
  model.source_count = FILES;
  model.source_frames = FRAMES;
  model.around = 20000;
  model.spread = 60000;
  model.odd = odd;
  packed edit = { 0 };
  mix_full(&model, &edit);
  publish(&p, &edit);
  const lp_renderer *const both[2] = { p.quick, p.slow };
  for (int i = 0; i < 2; i++) CHECK(lp_transport_play(both[i]->handle, 0, NAN) == LP_OK, "play");
  for (int block = 0; block < BLOCKS; block++) {
    if (whole(&random, 12) == 0) {
      edit.count = 0;
      mix_any(&model, &edit);
      publish(&p, &edit);
    }
    const double to = whole(&random, 80000);
    const uint32_t jump = whole(&random, 24), loop = whole(&random, 24);
    const double loop_end = to + 1 + whole(&random, 3000);
    for (int i = 0; i < 2; i++) {
      if (jump == 0) CHECK(lp_transport_seek(both[i]->handle, to) == LP_OK, "seek");
      if (loop < 2) CHECK(lp_transport_loop(both[i]->handle, loop, to, loop_end) == LP_OK, "loop");
    }
    /* Sometimes all that is due comes, sometimes hardly anything. */
    lp_step_follow(p.engine);
    for (uint32_t steps = whole(&random, 4) ? 1000 : whole(&random, 4); steps > 0 && lp_step_fill(p.engine) > 0; steps--) continue;
    if (whole(&random, 16) == 0) lp_store_drop_all(p.quick->engine->store);
    lp_step_follow(p.engine); /* and what waits at the gate, or its end, is looked at */
    const uint32_t frames = whole(&random, 2) ? 256 : 1 + whole(&random, LP_BLOCK);
    quick += quick_tracks(p.quick, (int32_t)frames);
    check_equal(&p, frames);
    if (whole(&random, 4) == 0) check_reports(&p, missing);
  }
  check_reports(&p, missing);
  free(edit.bytes);
  CHECK(lp_engine_close(p.engine) == 0, "threads left");
  return quick;
}

int main(int argc, char **argv) {
  atexit(end_files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, random = seed * 77 + 1;
  const int rounds = argc > 2 ? atoi(argv[2]) : 40;
  test_kernels(&random);
  for (int i = 0; i < FILES; i++) {
    char name[32];
    snprintf(name, sizeof name, "steady-%d", i);
    files[i] = (sound){ .kind = i % 3 == 2 ? S24 : S16, .seed = (uint32_t)i + 1, .channels = i == 1 ? 1 : i == 5 ? 3 : 2, .frames = FRAMES };
    make_sound(&files[i], name);
  }
  uint64_t quick = 0;
  double missing = 0, faded = 0;
  for (int i = 0; i < rounds; i++) {
    double counts[2] = { 0 };
    quick += play_round(seed + (uint64_t)i, 0, counts);
    missing += counts[0];
    faded += counts[1];
  }
  /* Else nothing has been compared. */
  CHECK(quick > (uint64_t)rounds * BLOCKS / 4 && missing > 0 && faded > 0, "%llu quick blocks, %g frames missing, %g faded", (unsigned long long)quick, missing, faded);
  /* Clips at other rates never go the quick way, between others that do. */
  uint64_t between = 0;
  for (int i = 0; i < rounds / 2; i++) between += play_round(seed + 1000 + (uint64_t)i, 20, (double[2]){ 0 });
  CHECK(between > (uint64_t)rounds, "%llu quick blocks between clips at other rates", (unsigned long long)between);
  printf("ok: %llu tracks' blocks the quick way, %g frames missing, %g faded\n", (unsigned long long)quick, missing, faded);
  return 0;
}
