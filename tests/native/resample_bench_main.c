/* The resampler against libsoxr at its very high quality: one thread, one channel of floats, times of this thread alone. Each round measures all one
 * after the other, so that a busy machine is busy for all; printed are medians over the rounds of times, and of the rounds' own ratios.
 *
 * A page is 4,096 frames at a random place. From soxr it takes a cleared converter that is fed the frames around it and drained, since what it has
 * in it decides what comes out. "Fed on" is what soxr would take if that did not matter: the same input and its own delay's, with no clearing. */
#include <soxr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resample.h"

#define PAGE 4096
#define STREAM 65536
#define NOISE (1 << 20)
#define MAX_ROUNDS 1000

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(const double *values, int n) {
  double sorted[MAX_ROUNDS];
  memcpy(sorted, values, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, by_value);
  return sorted[n / 2];
}

static double median_ratio(const double *theirs, const double *ours, int n) {
  double ratio[MAX_ROUNDS];
  for (int i = 0; i < n; i++) ratio[i] = theirs[i] / ours[i];
  return median(ratio, n);
}

static float *noise, *out;

static const float *somewhere(int64_t frames) { return noise + (int64_t)rand() % (NOISE - frames); }

static double soxr_page(soxr_t s, size_t frames) {
  const float *in = somewhere((int64_t)frames);
  double begun = now();
  size_t done, first, rest;
  soxr_clear(s);
  soxr_process(s, in, frames, &done, out, 4 * PAGE, &first);
  soxr_process(s, NULL, 0, &done, out + first, 4 * PAGE, &rest);
  double spent = now() - begun;
  if (first + rest < PAGE) abort();
  return spent;
}

static double soxr_fed_on(soxr_t s, size_t frames) {
  const float *in = somewhere((int64_t)frames);
  double begun = now();
  size_t done, made;
  soxr_process(s, in, frames, &done, out, 8 * PAGE, &made);
  return now() - begun;
}

static double soxr_stream(soxr_t s, size_t frames) {
  const float *in = somewhere((int64_t)frames);
  double begun = now();
  size_t done, made;
  soxr_process(s, in, frames, &done, out, 4 * STREAM, &made);
  return (now() - begun) / (double)(made > 0 ? made : 1);
}

static double our_pages(const lp_resampler *r, void *scratch, int count) {
  double begun = now();
  for (int i = 0; i < count; i++) {
    int64_t page = (int64_t)rand() % 1000000, first, frames;
    lp_resample_span(r, page * PAGE, PAGE, &first, &frames);
    lp_resample(r, page * PAGE, PAGE, somewhere(frames), out, scratch);
  }
  return (now() - begun) / count;
}

static double our_stream(const lp_resampler *r, void *scratch) {
  int64_t first, frames, from = (int64_t)(rand() % 1000) * STREAM;
  lp_resample_span(r, from, STREAM, &first, &frames);
  const float *in = somewhere(frames);
  double begun = now();
  lp_resample(r, from, STREAM, in, out, scratch);
  return (now() - begun) / STREAM;
}

typedef struct ours {
  const lp_resampler *r;
  void *scratch;
  double page[MAX_ROUNDS], stream[MAX_ROUNDS];
} ours;

static void compare(uint32_t in_rate, uint32_t out_rate, int rounds) {
  static ours kernel[3];
  static double page[MAX_ROUNDS], fed_on[MAX_ROUNDS], stream[MAX_ROUNDS];
  static const lp_resample_kind KINDS[] = {LP_RESAMPLE_AVX512, LP_RESAMPLE_AVX2, LP_RESAMPLE_PLAIN};
  int kernels = 0;
  for (int i = 0; i < 3; i++) {
    ours *k = &kernel[kernels];
    if (lp_resampler_open_kind(in_rate, out_rate, KINDS[i], &k->r) != 0) continue;
    if (posix_memalign(&k->scratch, 64, k->r->scratch_bytes) != 0) abort();
    kernels++;
  }
  soxr_error_t error;
  soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  soxr_t cleared = soxr_create(in_rate, out_rate, 1, &error, &io, &quality, &runtime);
  soxr_t running = soxr_create(in_rate, out_rate, 1, &error, &io, &quality, &runtime);
  if (cleared == NULL || running == NULL) abort();
  int64_t first, frames;
  lp_resample_span(kernel[0].r, 12345 * PAGE, PAGE, &first, &frames);
  double delay = 0;
  for (int i = 0; i < 8; i++) {
    soxr_stream(running, STREAM);
    delay = soxr_delay(running);
  }
  size_t longer = (size_t)frames + (size_t)(delay * in_rate / out_rate);
  for (int i = -2; i < rounds; i++) {
    int at = i < 0 ? 0 : i;
    page[at] = soxr_page(cleared, (size_t)frames);
    fed_on[at] = soxr_fed_on(running, longer);
    /* As much input as gives so many outputs, several times: it works in blocks of its own. */
    double sum = 0;
    for (int n = 0; n < 4; n++) sum += soxr_stream(running, (size_t)((double)STREAM * in_rate / out_rate)) / 4;
    stream[at] = sum;
    for (int k = 0; k < kernels; k++) {
      kernel[k].page[at] = our_pages(kernel[k].r, kernel[k].scratch, 8);
      kernel[k].stream[at] = our_stream(kernel[k].r, kernel[k].scratch);
    }
  }
  printf("%u to %u Hz: page by soxr %.1f us (fed on %.1f), stream %.2f ns/frame\n", in_rate, out_rate, median(page, rounds) * 1e6,
         median(fed_on, rounds) * 1e6, median(stream, rounds) * 1e9);
  for (int k = 0; k < kernels; k++) {
    printf("  %-8s page %7.1f us  x%.2f (x%.2f)   stream %6.2f ns/frame  x%.2f\n", kernel[k].r->kernel, median(kernel[k].page, rounds) * 1e6,
           median_ratio(page, kernel[k].page, rounds), median_ratio(fed_on, kernel[k].page, rounds), median(kernel[k].stream, rounds) * 1e9,
           median_ratio(stream, kernel[k].stream, rounds));
    lp_resampler_close(kernel[k].r);
    free(kernel[k].scratch);
  }
  soxr_delete(cleared);
  soxr_delete(running);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 41;
  if (rounds < 1 || rounds > MAX_ROUNDS) return 2;
  noise = malloc(NOISE * sizeof *noise);
  out = malloc((4 * STREAM + 16 * PAGE) * sizeof *out);
  if (noise == NULL || out == NULL) return 1;
  for (int i = 0; i < NOISE; i++) noise[i] = (float)rand() / (float)RAND_MAX - 0.5f;
  static const uint32_t RATES[][2] = {{44100, 48000}, {48000, 44100}, {96000, 48000}, {48000, 16000}, {88200, 48000}, {44101, 48000}};
  for (unsigned i = 0; i < sizeof RATES / sizeof *RATES; i++) compare(RATES[i][0], RATES[i][1], rounds);
  free(noise);
  free(out);
  return 0;
}
