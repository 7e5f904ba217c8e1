/* What stands between a renderer and a device, without a device: device_main <test> … or all. `device_main convert <from> <to> <in> <out>` converts a
 * file of interleaved stereo floats as a whole, for tests that recorded both sides of a device. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device_clock.h"
#include "engine.h"
#include "master_rate.h"
#include "resample.h"
#include "store_support.h"

/* ---- the mix at a device's rate --------------------------------------------------------------------------------------- */

/* A mix that is noise from an own seed, and remembers how it was asked. */
typedef struct mix {
  uint64_t frame, random, asked, begins_ns;
  uint32_t rate;
  float *kept; /* interleaved, if not NULL */
} mix;

static void render(void *context, float *out, uint32_t frames, uint64_t begins_ns) {
  mix *m = context;
  CHECK(m->begins_ns == UINT64_MAX || begins_ns == m->begins_ns, "a piece begins at %llu, not %llu ns", (unsigned long long)begins_ns,
        (unsigned long long)m->begins_ns);
  m->begins_ns = begins_ns + (uint64_t)lp_device_clock_span(m->rate, frames);
  for (uint32_t i = 0; i < frames * 2; i++) out[i] = (float)(next_random(&m->random) / 2147483648.0 - 1);
  if (m->kept) memcpy(m->kept + m->frame * 2, out, frames * 2 * sizeof *out);
  m->frame += frames;
  m->asked++;
}

/* All of it at once, as a file would be converted: [0, out_frames) of one side. */
static void convert_whole(uint32_t from, uint32_t to, const float *in, int64_t in_frames, int side, float *out, int64_t out_frames) {
  const lp_resampler *r;
  CHECK(lp_resampler_open(from, to, &r) == LP_OK, "%u to %u", from, to);
  int64_t first, span;
  lp_resample_span(r, 0, out_frames, &first, &span);
  float *padded = calloc((size_t)span, sizeof *padded);
  void *scratch = aligned_alloc(64, (r->scratch_bytes + 63) / 64 * 64);
  CHECK(padded && scratch, "no memory");
  for (int64_t i = 0; i < span; i++)
    if (first + i >= 0 && first + i < in_frames) padded[i] = in[(first + i) * 2 + side];
  lp_resample(r, 0, out_frames, padded, out, scratch);
  free(padded);
  free(scratch);
  lp_resampler_close(r);
}

static void check_rates(uint32_t from, uint32_t to, uint64_t seed) {
  const uint32_t OUT = from > 4 * to ? 1500 : 6000;
  const size_t room = (size_t)OUT * from / to + 60000;
  mix m = { .random = seed, .begins_ns = UINT64_MAX, .rate = from, .kept = calloc(room * 2, sizeof(float)) };
  float *got = calloc(OUT * 2, sizeof *got), *want = calloc(OUT, sizeof *want);
  CHECK(m.kept && got && want, "no memory");
  lp_master_rate *front;
  CHECK(lp_master_rate_make(from, to, render, &m, &front) == LP_OK && front, "%u to %u", from, to);
  uint64_t random = seed * 77 + 1;
  for (uint32_t done = 0; done < OUT;) {
    /* Callbacks of one frame, of what servers ask for, and of more than a block. */
    const uint32_t sizes[] = { 1, 64, 127, 128, 256, 441, 512, 513, 2000 };
    uint32_t n = sizes[(uint64_t)next_random(&random) * 9 >> 32];
    if (n > OUT - done) n = OUT - done;
    m.begins_ns = UINT64_MAX;
    lp_master_rate_pull(front, got + done * 2, n, 1000000000u + next_random(&random));
    done += n;
    /* No more of the mix is rendered than the filter reaches. */
    const double ahead = (double)m.frame - (double)done * from / to;
    CHECK(ahead <= lp_master_rate_delay(front) + 2, "%u to %u: %g frames ahead, the delay is %u", from, to, ahead, lp_master_rate_delay(front));
    CHECK(ahead >= lp_master_rate_delay(front) - (double)from / to - 2, "%u to %u: only %g frames ahead", from, to, ahead);
  }
  CHECK(m.frame <= room, "room for %zu frames, %llu came", room, (unsigned long long)m.frame);
  for (int side = 0; side < 2; side++) {
    convert_whole(from, to, m.kept, (int64_t)m.frame, side, want, OUT);
    for (uint32_t i = 0; i < OUT; i++)
      CHECK(!memcmp(&got[i * 2 + (uint32_t)side], &want[i], sizeof(float)), "%u to %u: side %d of frame %u is %g, not %g", from, to, side, i,
            (double)got[i * 2 + (uint32_t)side], (double)want[i]);
  }
  lp_master_rate_free(front);
  free(m.kept);
  free(got);
  free(want);
}

/* However callbacks cut it, what a device gets is the rendered mix converted as a whole, bit for bit. */
static void test_rates(void) {
  const uint32_t pairs[][2] = { { 48000, 44100 }, { 44100, 48000 }, { 96000, 48000 }, { 48000, 96000 }, { 48000, 192000 }, { 192000, 44100 },
                                { 44100, 44101 }, { 48000, 8000 },  { 8000, 48000 },  { 384000, 8000 }, { 48000, 47952 } };
  for (uint64_t i = 0; i < sizeof pairs / sizeof *pairs; i++) check_rates(pairs[i][0], pairs[i][1], i + 1);
  lp_master_rate *front = (lp_master_rate *)1;
  CHECK(lp_master_rate_make(48000, 48000, render, NULL, &front) == LP_OK && front == NULL, "equal rates need nothing");
  CHECK(lp_master_rate_make(48000, 1000, render, NULL, &front) == LP_E_ARGUMENT && front == NULL, "a rate out of range");
  CHECK(lp_master_rate_delay(NULL) == 0, "no delay without it");
}

/* A callback's work is bounded by its frames: what it renders, and in how many pieces. */
static void test_bounds(void) {
  mix m = { .random = 9, .begins_ns = UINT64_MAX, .rate = 48000 };
  lp_master_rate *front;
  CHECK(lp_master_rate_make(48000, 44100, render, &m, &front) == LP_OK, "a front");
  static float out[4096 * 2];
  lp_master_rate_pull(front, out, 64, 0);
  for (int i = 0; i < 150; i++) {
    const uint64_t frame = m.frame, asked = m.asked;
    m.begins_ns = UINT64_MAX;
    lp_master_rate_pull(front, out, 4096, 0);
    CHECK(m.frame - frame <= 4460 && m.asked - asked <= 16, "%llu frames in %llu pieces", (unsigned long long)(m.frame - frame),
          (unsigned long long)(m.asked - asked));
  }
  lp_master_rate_free(front);
}

/* ---- when frames are due ------------------------------------------------------------------------------------------------ */

static double off_ms(uint64_t due, double ideal_ns) { return fabs((double)due - ideal_ns) / 1e6; }

/* Callbacks that come up to 4 ms late now and then, and in bursts, stand on a steady line. */
static void test_clock(void) {
  uint64_t random = 5;
  lp_device_clock c = lp_device_clock_make(44100, 1024);
  const double begin = 5e12, card = 44100 * (1 + 80e-6); /* the card's clock is fast by 80 ppm */
  uint64_t frame = 0, last = 0;
  for (int i = 0; i < 60000; i++) {
    const double asks = begin + (double)(frame / 1024 * 1024) * 1e9 / card; /* four requests of 256 at once */
    const double late = next_random(&random) % 10 ? 0 : (next_random(&random) % 4000) * 1e3;
    const uint64_t due = lp_device_clock_hear(&c, frame, (uint64_t)(asks + late));
    /* The mean request of a burst is for the middle of it. */
    const double ideal = begin + ((double)frame - 384) * 1e9 / card;
    if (i > 200) CHECK(off_ms(due, ideal) < 3, "callback %d is off by %g ms", i, off_ms(due, ideal));
    if (i > 200) CHECK(due > last, "callback %d goes back", i);
    last = due;
    frame += 256;
  }
  /* The server stood still for two seconds: the line begins anew where it goes on. */
  const double again = begin + (double)frame * 1e9 / card + 2e9;
  CHECK(off_ms(lp_device_clock_hear(&c, frame, (uint64_t)again), again) < 0.001, "after a standstill");
}

/* Whole nanoseconds, however long it has run: 100 years at 384 kHz. */
static void test_span(void) {
  const uint64_t century = 384000ull * 86400 * 36525;
  CHECK(lp_device_clock_span(384000, century) == 86400ll * 36525 * 1000000000, "a century");
  CHECK(lp_device_clock_span(44100, 1) == 22675 && lp_device_clock_span(48000, 3) == 62500, "frames");
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

static float *read_floats(const char *path, int64_t *frames) {
  FILE *f = fopen(path, "rb");
  CHECK(f && fseek(f, 0, SEEK_END) == 0, "cannot read %s", path);
  const long bytes = ftell(f);
  CHECK(bytes >= 0 && fseek(f, 0, SEEK_SET) == 0, "cannot read %s", path);
  float *in = malloc((size_t)bytes + 8);
  CHECK(in && fread(in, 1, (size_t)bytes, f) == (size_t)bytes, "cannot read %s", path);
  fclose(f);
  *frames = bytes / 8;
  return in;
}

static int convert(char **argv) {
  const uint32_t from = (uint32_t)atoi(argv[0]), to = (uint32_t)atoi(argv[1]);
  int64_t frames;
  float *in = read_floats(argv[2], &frames);
  const lp_resampler *r;
  CHECK(lp_resampler_open(from, to, &r) == LP_OK, "%u to %u", from, to);
  /* As far as the material reaches: what comes after it is not known. */
  const int64_t out_frames = lp_resample_ready(r, frames);
  lp_resampler_close(r);
  float *side = calloc((size_t)out_frames + 1, sizeof *side), *out = calloc((size_t)out_frames * 2 + 1, sizeof *out);
  CHECK(side && out, "no memory");
  for (int s = 0; s < 2; s++) {
    convert_whole(from, to, in, frames, s, side, out_frames);
    for (int64_t i = 0; i < out_frames; i++) out[i * 2 + s] = side[i];
  }
  FILE *f = fopen(argv[3], "wb");
  CHECK(f && fwrite(out, 8, (size_t)out_frames, f) == (size_t)out_frames && fclose(f) == 0, "cannot write %s", argv[3]);
  free(in);
  free(side);
  free(out);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 6 && !strcmp(argv[1], "convert")) return convert(argv + 2);
  const struct {
    const char *name;
    void (*run)(void);
  } tests[] = { { "rates", test_rates }, { "bounds", test_bounds }, { "clock", test_clock }, { "span", test_span } };
  for (int a = 1; a < argc; a++) {
    bool found = !strcmp(argv[a], "all");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
      if (strcmp(argv[a], "all") && strcmp(argv[a], tests[i].name)) continue;
      found = true;
      tests[i].run();
      printf("ok %s\n", tests[i].name);
    }
    CHECK(found, "no test is called %s", argv[a]);
  }
  return 0;
}
